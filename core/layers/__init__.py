"""The layers that Keras, KerasRS and KerasHub lack; they need Keras and NumPy alone.

Importing this package registers them all, so `keras.saving.load_model` finds them.
"""

from __future__ import annotations

from core.layers.attention import CrossAttention, SelfAttention
from core.layers.batch_normalization import FusedBatchNormalization
from core.layers.causal_attention import CausalAttention
from core.layers.crf import CRF
from core.layers.differentiable_augmentation import DifferentiableAugmentation
from core.layers.factorisation_machine import FactorisationMachine
from core.layers.field_embedding import FieldEmbedding
from core.layers.frame_mask import FrameMask
from core.layers.gru import FusedGRU
from core.layers.large_embedding import LargeEmbedding
from core.layers.lookup_model import LookupModel
from core.layers.lookups import take_rows
from core.layers.roi_align import RoIAlign
from core.layers.span_scores import SpanScores
from core.layers.spectrogram import LogMelSpectrogram
from core.layers.spectrogram_augmentation import RandomEqualizer, SpecAugment
from core.layers.token_dropout import TokenDropout
from core.layers.transformer import FeedForward, TransformerBlock
from core.layers.tree_ensemble import TreeEnsemble
from core.layers.wave_augmentation import RandomNoise, RandomSpeed
from core.layers.wavenet import GatedCausalBlock, WaveNet

__all__ = [
    "CRF",
    "CausalAttention",
    "CrossAttention",
    "DifferentiableAugmentation",
    "FactorisationMachine",
    "FeedForward",
    "FieldEmbedding",
    "FrameMask",
    "FusedBatchNormalization",
    "FusedGRU",
    "GatedCausalBlock",
    "LargeEmbedding",
    "LogMelSpectrogram",
    "LookupModel",
    "RandomEqualizer",
    "RandomNoise",
    "RandomSpeed",
    "RoIAlign",
    "SelfAttention",
    "SpanScores",
    "SpecAugment",
    "TokenDropout",
    "TransformerBlock",
    "TreeEnsemble",
    "WaveNet",
    "take_rows",
]
