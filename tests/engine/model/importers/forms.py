"""One CLIP in every form that weights are published in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

State = dict[str, Tensor]


def random_clip(model: dict[str, Any]) -> State:
    """The weights of a seeded, untrained CLIP, as fp16 holds them, at the sharpness of a trained one."""
    from capt_engine.model.clip import open_clip

    with torch.random.fork_rng():
        torch.manual_seed(3)
        weights = open_clip.CLIP(**model).state_dict()
    weights["logit_scale"] = torch.tensor(100.0).log()
    return {name: value.half().float().contiguous() for name, value in weights.items()}


def open_clip_folder(folder: Path, state: State, model: dict[str, Any], look: dict[str, Any]) -> Path:
    """open_clip's own: configuration and safetensors."""
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": look}), "utf-8")
    save_file(state, folder / "open_clip_model.safetensors")
    return folder


def state_dict(path: Path, state: State) -> Path:
    """OpenAI's weights as fp16 tensors with the three sizes beside them."""
    half = {name: value if value.dim() == 0 else value.half() for name, value in state.items()}
    beside = {"input_resolution": torch.tensor(0), "context_length": torch.tensor(0), "vocab_size": torch.tensor(0)}
    torch.save({**half, **beside}, path)
    return path


def tecoa(path: Path, state: State) -> Path:
    """TeCoA's container, under DataParallel, with prompters and an optimiser beside the tower."""
    tower = {f"module.{name.removeprefix('visual.')}": v for name, v in state.items() if name.startswith("visual.")}
    width = state["visual.class_embedding"].shape[0]
    held = {
        "epoch": 10,
        "state_dict": {},
        "add_prompter": {"module.prompt": torch.zeros(1, 5, width)},
        "vision_encoder_state_dict": {**tower, "module.prompt_pos_embedding": torch.zeros(5, width)},
        "best_acc1": torch.tensor(51.5),
        "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 1e-7, "params": [0]}]},
    }
    torch.save(held, path)
    return path


def fare(path: Path, state: State) -> Path:
    """chs20's file: the image tower alone."""
    torch.save({name.removeprefix("visual."): v for name, v in state.items() if name.startswith("visual.")}, path)
    return path


def in_parts(folder: Path) -> Path:
    """Its weights in two files with an index, as transformers writes large ones."""
    whole = load_file(folder / "model.safetensors")
    names = sorted(whole)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for part, some in parts.items():
        save_file({name: whole[name] for name in some}, folder / part)
    (folder / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {name: part for part, some in parts.items() for name in some}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    return folder


def clip_model(
    folder: Path, state: State, model: dict[str, Any], look: dict[str, Any], *, pickled: bool = False
) -> Path:
    """transformers' folder: other names, q, k and v apart, projections the other way round."""
    folder.mkdir()
    found: State = {"logit_scale": state["logit_scale"]}
    found["text_projection.weight"] = state["text_projection"].t().contiguous()
    found["visual_projection.weight"] = state["visual.proj"].t().contiguous()
    plain = {
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    }
    found |= {theirs: state[ours] for ours, theirs in plain.items()}
    for part in ("weight", "bias"):
        found[f"text_model.final_layer_norm.{part}"] = state[f"ln_final.{part}"]
        found[f"vision_model.pre_layrnorm.{part}"] = state[f"visual.ln_pre.{part}"]
        found[f"vision_model.post_layernorm.{part}"] = state[f"visual.ln_post.{part}"]
    inside = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    inside["attn.out_proj"] = "self_attn.out_proj"
    for tower, ours in (("text_model", ""), ("vision_model", "visual.")):
        layers = model["text_cfg" if tower == "text_model" else "vision_cfg"]["layers"]
        for layer in range(layers):
            mine, theirs = f"{ours}transformer.resblocks.{layer}.", f"{tower}.encoder.layers.{layer}."
            for part in ("weight", "bias"):
                found |= {f"{theirs}{to}.{part}": state[f"{mine}{of}.{part}"] for of, to in inside.items()}
                joined = state[f"{mine}attn.in_proj_{part}"].chunk(3)
                found |= {f"{theirs}self_attn.{one}_proj.{part}": v for one, v in zip("qkv", joined, strict=True)}
    found = {name: value.contiguous().clone() for name, value in found.items()}
    act = "quick_gelu" if model["quick_gelu"] else "gelu"
    heads = model["vision_cfg"]["width"] // model["vision_cfg"].get("head_width", 64)
    config = {
        "model_type": "clip",
        "text_config": {"hidden_act": act, "num_attention_heads": model["text_cfg"]["heads"]},
        "vision_config": {"hidden_act": act, "num_attention_heads": heads},
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    seen = {"image_mean": look["mean"], "image_std": look["std"]}
    (folder / "preprocessor_config.json").write_text(json.dumps(seen), "utf-8")
    if pickled:
        torch.save({**found, "text_model.embeddings.position_ids": torch.arange(4)}, folder / "pytorch_model.bin")
    else:
        save_file(found, folder / "model.safetensors")
    return folder
