"""Plain text beside learned prompts: the same pictures, the same attack, accuracy with its 95 % interval.

Put in your own: `capt.load_clip("vit-b-32-openai", device="cuda")`, your classes, and a torch DataLoader of (images, labels), pixels in
[0, 1] at `clip.size`.
"""

import capt_engine as capt

clip = capt.load_clip("demo")
images, labels, classes = capt.demo_pictures(clip, domain="night", n=7)

for prompts in (None, "capt-shapes-night"):
    model = capt.Classifier(clip, classes, "a photo of a {}.", prompts=prompts)
    result = capt.evaluate(model, (images, labels), attacks=capt.PGD(steps=10), eps=1 / 255, checks="off")
    low, high = result.interval
    print(
        f"{prompts or 'plain text'}: {result.clean_accuracy:.0%} clean, {result.robust_accuracy:.0%} under PGD [{low:.0%}, {high:.0%}]"
    )
    worst = min(result.rows(), key=lambda row: row["adv_margin"])
    print(f"  most misled: picture {worst['path']}, {worst['label']} taken for {worst['adv_pred']}")
