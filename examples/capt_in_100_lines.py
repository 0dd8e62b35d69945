"""CAPT (arXiv 2405.11154), readable from top to bottom: prompts in both towers of a frozen CLIP, learned on attacked pictures.

    L = CE(p_clean, y) + λ · mean_i [ (1 − α_i) · KL(p_clean ‖ p_adv) + α_i · KL(p_frozen ‖ p_adv) ]

`capt.tune` is the same with every relative, schedule and check; docs/method.md says which parts are the paper's and which are ours.
"""

import torch
import torch.nn.functional as F
from torch import nn

import capt_engine as capt

N_CTX, DEPTH = 4, 4  # learned tokens per layer, layers that have them
EPS, STEPS = 1 / 255, 3  # L∞ budget and steps of the attack inside training
LAMBDA, LR, EPOCHS, BATCH = 2.5, 0.035, 10, 14


class DeepPrompts(nn.Module):
    """Tokens for the first layers of both towers; those of the image tower lead, those of the text tower follow by a linear map."""

    def __init__(self, clip):
        super().__init__()
        text_width = clip.clip.token_embedding.weight.shape[1]
        vision_width = clip.clip.visual.class_embedding.shape[0]
        self.vision = nn.ParameterList(nn.Parameter(0.02 * torch.randn(N_CTX, vision_width)) for _ in range(DEPTH))
        self.to_text = nn.ModuleList(nn.Linear(vision_width, text_width) for _ in range(DEPTH))

    def forward(self):
        """One tensor (n_ctx, width) a layer: for the text tower, for the image tower."""
        return [to_text(tokens) for to_text, tokens in zip(self.to_text, self.vision, strict=True)], list(self.vision)


def text_features(clip, ids, tokens):
    """Unit features (k, d) of one sentence per class, its first words replaced by learned tokens."""
    return F.normalize(capt.encode_tokens(clip, ids, tokens).float(), dim=-1)


def logits(clip, x, vision_tokens, text):
    """Logits (n, k): scaled cosines of the pictures' features with those of the classes."""
    return clip.clip.logit_scale.exp() * capt.encode_pixels(clip, x, vision_tokens) @ text.T


def attack(model, x, y):
    """PGD up the cross-entropy from a random point of the ball (Madry et al. 2018), by steps of 2/3 ε as in APT."""
    delta = torch.empty_like(x).uniform_(-EPS, EPS)
    for _ in range(STEPS):
        delta.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model((x + delta).clamp(0, 1)), y), delta)
        delta = (delta.detach() + 2 / 3 * EPS * gradient.sign()).clamp(-EPS, EPS)
    return (x + delta).clamp(0, 1)


def divergence(target, answer):
    """KL(softmax target ‖ softmax answer) of each picture, (n,), in nats."""
    return F.kl_div(answer.log_softmax(dim=1), target.log_softmax(dim=1), log_target=True, reduction="none").sum(dim=1)


def capt_loss(clean, adversarial, frozen, y):
    """The loss above. α = p_frozen / (p_frozen + p_clean), of the label: the frozen model is trusted as far as it is the better one."""
    p_frozen, p_clean = (z.detach().softmax(dim=1).gather(1, y[:, None])[:, 0] for z in (frozen, clean))
    alpha = p_frozen / (p_frozen + p_clean)
    consistency = (1 - alpha) * divergence(clean, adversarial) + alpha * divergence(frozen, adversarial)
    return F.cross_entropy(clean, y) + LAMBDA * consistency.mean()


def tune(clip, x, y, classes, template):
    """Learn prompts from pictures (n, 3, h, w) in [0, 1] and labels (n,)."""
    zero_shot = capt.Classifier(clip, classes, template)
    ids = capt.prompted_ids(clip, classes, template, N_CTX)
    prompts = DeepPrompts(clip)
    optimiser = torch.optim.SGD(prompts.parameters(), lr=LR, momentum=0.9, weight_decay=5e-4)
    for epoch in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            images, labels = x[batch], y[batch]
            text_tokens, vision_tokens = prompts()
            text = text_features(clip, ids, text_tokens)
            fixed, held = text.detach(), [token.detach() for token in vision_tokens]
            attacked = attack(lambda z, fixed=fixed, held=held: logits(clip, z, held, fixed), images, labels)
            clean, adversarial = (logits(clip, z, vision_tokens, text) for z in (images, attacked))
            loss = capt_loss(clean, adversarial, zero_shot(images).detach(), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
    text_tokens, vision_tokens = (tuple(token.detach() for token in tokens) for tokens in prompts())
    text = text_features(clip, ids, text_tokens)
    return lambda z: logits(clip, z, vision_tokens, text)


if __name__ == "__main__":
    torch.manual_seed(0)
    clip = capt.load_clip("demo")
    x, y, classes = capt.demo_pictures(clip, domain="night", split="train", n=28)
    model = tune(clip, x, y, classes, "a photo of a {}.")
    for name, one in (("plain", capt.Classifier(clip, classes, "a photo of a {}.")), ("CAPT", model)):
        adv = capt.PGD(steps=10)(one, x, y, eps=EPS)
        clean, robust = ((one(z).argmax(dim=1) == y).float().mean().item() for z in (x, adv))
        print(f"{name}: {clean:.0%} clean, {robust:.0%} under PGD")
