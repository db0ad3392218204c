"""Tiny models of the kinds that a reader may name, under the bundled tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering, BertForSequenceClassification

from bri_qa import minilm

SMALL: dict[str, Any] = {
    "vocab_size": 30_522,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 128,
}


def saved(folder: Path, model: Any, kind: str | None = None) -> str:
    model.save_pretrained(folder)
    files = minilm.weights().path.parent
    AutoTokenizer.from_pretrained(files).save_pretrained(folder)
    if kind:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"architectures": [kind]}))
    return str(folder)


def lit(model: Any, word: str) -> Any:
    """The model, its embeddings of one word changed so that its last layer sees it and nothing else."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for name, parameter in model.named_parameters():
            if "LayerNorm.weight" in name:
                parameter.fill_(1.0)
        number = AutoTokenizer.from_pretrained(minilm.weights().path.parent).convert_tokens_to_ids(word)
        model.bert.embeddings.word_embeddings.weight[number, 0] = 40.0
    return model


def squad(folder: Path) -> str:
    """A SQuAD-type model whose spans are the word "640"."""
    model = lit(BertForQuestionAnswering(BertConfig(**SMALL)), "640")
    with torch.no_grad():
        model.qa_outputs.weight[:, 0] = 2.0
    return saved(folder, model)


def ranking(folder: Path, classes: int = 1) -> str:
    """A cross-encoder of random weights."""
    torch.manual_seed(4)
    config = BertConfig(**SMALL)
    config.num_labels = classes
    return saved(folder, BertForSequenceClassification(config))
