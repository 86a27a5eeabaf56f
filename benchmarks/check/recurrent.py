"""Healthy recurrent networks."""

import math

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """An LSTM or a GRU with a head on its last state; a tanh network, on the mean."""

    def __init__(self, kind: str, layers: int = 1, width: int = 48):
        super().__init__()
        kinds = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
        self.recurrent = kinds[kind](16, width, num_layers=layers, batch_first=True)
        self.head, self.kind = nn.Linear(width, 10), kind
        started(self.recurrent, kind, width)
        nn.init.zeros_(self.head.bias)

    def forward(self, series: Tensor) -> Tensor:
        outputs, _ = self.recurrent(series)
        state = outputs.mean(dim=1) if self.kind == "rnn" else outputs[:, -1]
        return self.head(state)


def started(module: nn.Module, kind: str, width: int) -> None:
    """Orthogonal per gate, inputs by Glorot, the forget gate open."""
    for name, parameter in module.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.data.split(width):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            for gate in parameter.data.split(width):
                nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(parameter)
            if kind == "lstm" and name.startswith("bias_hh"):
                # A time constant of about the sequences' length: sigmoid(3) = .953.
                parameter.data[width : 2 * width] = 3.0
            if kind == "gru" and name.startswith("bias_hh"):
                parameter.data[width : 2 * width] = 2.0


class TiedLanguageModel(nn.Module):
    """An LSTM over tokens whose head is its embedding."""

    def __init__(self, width: int = 48, vocabulary: int = 64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.recurrent = nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        started(self.recurrent, "lstm", width)
        nn.init.zeros_(self.head.bias)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        outputs, _ = self.recurrent(self.embedding(tokens))
        return self.head(outputs)


class Cell(nn.Module):
    """A GRU cell in a loop written by hand."""

    def __init__(self, width: int = 48):
        super().__init__()
        self.cell, self.head = nn.GRUCell(16, width), nn.Linear(width, 10)
        started(self.cell, "gru", width)
        nn.init.normal_(self.head.weight, std=1 / math.sqrt(width))
        self.width = width

    def forward(self, series: Tensor) -> Tensor:
        state = series.new_zeros(len(series), self.width)
        for place in range(series.shape[1]):
            state = self.cell(series[:, place], state)
        return self.head(torch.nn.functional.dropout(state, 0.1, self.training))
