"""How far does any image classifier hold? Attack a torchvision model with APGD (Croce & Hein 2020, arXiv 2003.01690).

Weights are random here, so that nothing is downloaded: put your own in, and pictures and labels of yours.
"""

import torch
import torchvision

import capt_engine as capt

attack = capt.APGDCE(steps=10)

torch.manual_seed(0)
network = torchvision.models.resnet18(num_classes=10)
# Normalisation belongs into the model: then pixels are in [0, 1], and ε means pixels.
normalise = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
model = torch.nn.Sequential(normalise, network).eval()

x = torch.rand(4, 3, 32, 32)
with torch.no_grad():
    y = model(x).argmax(dim=1)

budgets = [1 / 255, 4 / 255]
for eps, adversarial in zip(budgets, attack(model, x, y, eps=budgets), strict=True):
    with torch.no_grad():
        right = (model(adversarial).argmax(dim=1) == y).float().mean()
    psnr = capt.metrics.psnr(x, adversarial).min()
    print(f"eps {eps * 255:.0f}/255: {right:.0%} still right, PSNR at least {psnr:.1f} dB")

# The same as a whole evaluation: the worst case over several attacks, with its interval, and a row for each picture.
result = capt.evaluate(model, (x, y), attacks=[attack, "fgsm"], eps=budgets, checks="off")
print(f"worst case at 4/255: {result.robust_accuracy:.0%}, {len(result.rows())} rows")
