"""Dialogue: a language model that is trained on conversations, and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from apps.nlp.conversation.asked import Asked, read_dialogue, with_roles
from apps.nlp.conversation.turns import ROLES, Answer, Prompt, answers_of, turns_of
from apps.nlp.subwords.learnt import SubwordVocabulary, learnt_subwords
from apps.nlp.subwords.subwords import END, NUM_FIRST, Kind
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.texts import Replies
from core.errors import UserError
from core.inputs import Input, Turns
from core.task.contract import Ability, Encoder, Options, Task
from core.wording import counted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.nlp.conversation.batches import Rows
    from apps.nlp.conversation.judging import Pair
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training

NGRAM_ORDER = 4
MOST_COUNTED = 20_000_000  # tokens, whose n-grams take some gigabytes
LONGEST_ANSWER = 64  # tokens that are written beside a true answer
NEAREST = "answer of the nearest question by TF-IDF"


class DialogueEncoder(Encoder):
    """The sub-words of the training conversations, with an id for each role."""

    vocabulary: SubwordVocabulary


class Dialogue(Task):
    """Answers the last turn of a dialogue, as the conversations do that it was trained on.

    Example:

    ```
    quartet train nlp/dialogue data=conversations.jsonl
    quartet predict runs/mine "What is AI?" --option temperature=0 --stream
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = DialogueEncoder
    content: ClassVar[tuple[str, ...]] = ("conversation",)
    takes: ClassVar[Mapping[str, Input]] = {"turns": Turns()}
    gives: ClassVar[type[Answers] | None] = Replies
    figures: ClassVar[Mapping[str, Direction]] = Replies.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"stream"})
    options: ClassVar[type[Options]] = Asked
    objective: ClassVar[str] = "val_bits_per_byte"
    sample_licence: ClassVar[str | None] = "BSD-3-Clause (ChatterBot corpus)"

    subwords: Kind = Field("bpe", description="what texts are cut into: bpe, unigram, bytes, characters")
    vocabulary_size: int = Field(2000, ge=2, le=2**17, description="sub-words that are known, at most")
    context: int = Field(
        128, ge=16, le=8192, description="tokens that are read at once, a quarter of them kept for the answer"
    )
    depth: int = Field(4, ge=1, le=64, description="blocks")
    width: int = Field(128, ge=2, le=4096, description="units of a token")
    heads: int = Field(4, ge=1, le=64, description="of attention")
    key_value_heads: int | None = Field(
        None, ge=1, description="shared among groups of heads; by default as many"
    )
    normalization: Literal["rms", "layer"] = Field(
        "rms", description="before attention and net of each block"
    )
    activation: Literal["swiglu", "gelu"] = Field("swiglu", description="of the net of each block")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of units dropped")

    lora_rank: int = Field(
        0, ge=0, le=1024, description="of low-rank adapters, which alone are learnt after a start; 0: all is"
    )

    @model_validator(mode="after")
    def _adapters_have_a_start(self) -> Dialogue:
        if self.lora_rank and self.start is None:
            raise ValueError("lora_rank adapts weights that are trained: name their run by start")
        return self

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Dialogue:
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of twice the heads, {2 * self.heads}")
        if self.key_value_heads and self.heads % self.key_value_heads:
            raise ValueError(f"key_value_heads must divide heads, {self.heads}")
        return self

    def load(self) -> Splits:
        """Return the conversations in their parts, each whole in one of them."""
        from apps.nlp.conversation.judging import CANDIDATES, MOST_JUDGED, MOST_RANKED
        from apps.nlp.conversation.reading import each_once, read_files, read_parts
        from core.data.samples import small_talk
        from core.data.sources import PREFIX

        if self.data.startswith(PREFIX):
            raise UserError(f"Dialogues are read from files: give data=PATH. Received: data={self.data}.")
        if self.data == "sample":
            sample, notes = read_files(small_talk(), "the sample of small talk", skip_bad=True)
            once, repeated = each_once(sample)
            parts, notes = {"train": once}, [*notes, *repeated]
        else:
            parts, notes = read_parts(self.data, skip_bad=self.skip_bad)
        splits = self.divided(parts, notes)
        judged = (
            f"conversations held out whole; at most {MOST_JUDGED:,} answers judged, evenly over the part, "
            f"each after its true history; hits of at most {MOST_RANKED}, each among {CANDIDATES} answers"
        )
        return replace(splits, protocol=f"{splits.protocol}; {judged}")

    def encode(self, train: Examples) -> DialogueEncoder:
        """Return the sub-words of what is said in training."""
        texts = (turn.text for each in train["conversation"] for turn in turns_of(str(each)))
        return DialogueEncoder(
            vocabulary=learnt_subwords(texts, self.subwords, self.vocabulary_size, special=ROLES)
        )

    def encode_from(self, train: Examples, source: Any) -> DialogueEncoder:
        """Return the sub-words that the weights know, with ids for roles if they have none."""
        vocabulary = getattr(source, "vocabulary", None)
        if not isinstance(vocabulary, SubwordVocabulary):
            raise UserError(
                "A dialogue starts from a run of nlp/generation or nlp/dialogue. "
                f"Received: task.start={self.start}."
            )
        return DialogueEncoder(vocabulary=with_roles(vocabulary))

    def left_out(self, splits: Splits, encoder: DialogueEncoder) -> Sequence[str]:
        """Return how many judged answers are longer than what the window leaves them."""
        answers = self.judged_answers(splits.test)
        long = sum(not pair.whole for pair in self.pairs(answers, encoder))
        if not long:
            return []
        return [f"of {counted(long, 'answer')} of test the beginning alone is judged: set a larger context"]

    def rows(self, examples: Examples, encoder: DialogueEncoder) -> Rows:
        """Return what is learnt of conversations."""
        from apps.nlp.conversation.batches import rows_of_examples

        return rows_of_examples(examples, encoder.vocabulary.subwords, self.context)

    def count(self, examples: Examples, encoder: DialogueEncoder) -> int:
        """Return how many rows an epoch has: one a conversation, of long ones several."""
        return len(self.rows(examples, encoder))

    def batches(self, examples: Examples, encoder: DialogueEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of conversations, and of the tokens of answers that come next."""
        from apps.nlp.conversation.batches import batches

        return batches(self.rows(examples, encoder), feed)

    def build(self, encoder: DialogueEncoder) -> keras.Model:
        """Return the model from ids to the logits of the next."""
        from apps.nlp.conversation.adapters import adapt
        from apps.nlp.decoder.language_model import language_model

        model = language_model(
            encoder.vocabulary.subwords.size,
            None,
            depth=self.depth,
            width=self.width,
            num_heads=self.heads,
            num_key_value_heads=self.key_value_heads,
            normalization=self.normalization,
            activation=self.activation,
            dropout=self.dropout,
        )
        if self.lora_rank:
            adapt(model, self.lora_rank)
        return model

    def take_weights(self, model: keras.Model, encoder: DialogueEncoder, source: keras.Model) -> list[str]:
        """Fill a fresh model with weights of a trained one; ids of roles that it lacks begin as its end."""
        if self.lora_rank:
            from apps.nlp.conversation.adapters import fill_beside_adapters

            whole = self.model_copy(update={"lora_rank": 0})
            plain = whole.build(encoder)
            filled = whole.take_weights(plain, encoder, source)
            fill_beside_adapters(model, plain.weights)
            return filled
        filled = super().take_weights(model, encoder, source)
        if "tokens" in filled or "tokens" not in [layer.name for layer in source.layers]:
            return filled
        embed, (trained,) = model.get_layer("tokens"), source.get_layer("tokens").get_weights()
        (fresh,) = embed.get_weights()
        added = len(fresh) - len(trained)
        if added < 0 or trained.shape[1:] != fresh.shape[1:]:
            return filled
        first = NUM_FIRST + len(encoder.vocabulary.special) - added
        # What is new differs a little from the end, and each from the others.
        roles = trained[END] + 0.1 * fresh[first : first + added]
        embed.set_weights([np.concatenate([trained[:first], roles, trained[first:]])])
        return [*filled, "tokens"]

    def loss(self, encoder: DialogueEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of the tokens of answers."""
        from core.losses import SequenceCrossentropy

        return SequenceCrossentropy(from_logits=True)

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model, and judge the answers of the validation part after each epoch."""
        from apps.nlp.conversation.judging import nats_of
        from apps.nlp.judged_epochs import judged_each_epoch

        validation, encoder = training.splits.validation, training.encoder
        answers = self.judged_answers(validation)
        if not answers:
            return super().fit(training)
        pairs = self.pairs(answers, encoder)
        num_tokens, num_bytes = (
            sum(len(pair.answer) for pair in pairs),
            sum(pair.num_bytes for pair in pairs),
        )

        def judged() -> dict[str, float]:
            nats = float(nats_of(training.model, pairs, encoder.vocabulary.subwords).sum())
            return {"val_loss": nats / num_tokens, "val_bits_per_byte": nats / np.log(2) / num_bytes}

        return super().fit(judged_each_epoch(training, judged, by_these_alone=True))

    def judged_answers(self, examples: Examples) -> list[Answer]:
        """Return the answers that are judged, evenly over a part."""
        from apps.nlp.conversation.judging import MOST_JUDGED, evenly

        answers = answers_of([str(each) for each in examples["conversation"]])
        return [answers[place] for place in evenly(len(answers), MOST_JUDGED)] if answers else []

    def pairs(self, answers: Sequence[Answer], encoder: DialogueEncoder) -> list[Pair]:
        """Return answers after their histories, as ids."""
        from apps.nlp.conversation.judging import pair_of, prompts_of

        subwords = encoder.vocabulary.subwords
        prompts = prompts_of([each.history for each in answers], subwords, self.context)
        return [
            pair_of(prompt, each.text, subwords, self.context)
            for prompt, each in zip(prompts, answers, strict=True)
        ]

    def evaluate(
        self, model: keras.Model, encoder: DialogueEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return what true answers cost, where they rank among others, and how near what is written is."""
        from apps.nlp.conversation.judging import nats_of, ranks_of, rows_of

        answers, subwords = self.judged_answers(examples), encoder.vocabulary.subwords
        pairs = self.pairs(answers, encoder)
        asked = Asked(length=LONGEST_ANSWER, temperature=0)
        written = self._written(model, encoder, [Prompt(pair.prompt) for pair in pairs], asked)
        ranks = ranks_of(model, answers, subwords, self.context)
        nats = nats_of(model, pairs, subwords)
        return _figures(
            rows_of(answers, pairs, nats, [each["text"] for each in written], ranks), Replies.figures, write
        )

    def predict(
        self, model: keras.Model, encoder: DialogueEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the answer to each dialogue as `text`, with `notes` where there is something to know."""
        asked = options or Asked()
        return self._written(model, encoder, [self._read(each, encoder, asked) for each in inputs], asked)

    def stream(
        self, model: keras.Model, encoder: Any, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        """Yield an answer as it is written, a few tokens at a time."""
        from apps.nlp.decoder.answering import AT_A_STATE

        asked = options or Asked()
        prompt = self._read(value, encoder, asked)
        for (state,) in self._states(model, encoder, [prompt], asked, AT_A_STATE):
            yield state

    def _read(self, value: Any, encoder: DialogueEncoder, asked: Asked) -> Prompt:
        refuse = asked.long_histories == "refuse"
        return read_dialogue(value, encoder.vocabulary.subwords, self.context, refuse=refuse)

    def _written(
        self, model: keras.Model, encoder: DialogueEncoder, prompts: Sequence[Prompt], asked: Asked
    ) -> list[dict[str, Any]]:
        from apps.nlp.decoder.answering import AT_A_CALL, TOGETHER

        answers = []
        for start in range(0, len(prompts), TOGETHER):
            *_, last = self._states(model, encoder, prompts[start : start + TOGETHER], asked, AT_A_CALL)
            answers += last
        return answers

    def _states(
        self,
        model: keras.Model,
        encoder: DialogueEncoder,
        prompts: Sequence[Prompt],
        asked: Asked,
        at_a_call: int,
    ) -> Iterator[list[dict[str, Any]]]:
        from apps.nlp.decoder.answering import answers_as_they_grow, writer_of

        subwords = encoder.vocabulary.subwords
        writer_of(model, self.context, list(subwords.special.values()))
        seeds, ids = [asked.seed] * len(prompts), [prompt.ids for prompt in prompts]
        texts = [""] * len(prompts)
        for states in answers_as_they_grow(
            model, subwords, texts, ids, asked, seeds=seeds, at_a_call=at_a_call
        ):
            yield [
                {name: value for name, value in state.items() if name != "written"}
                | ({"notes": prompt.notes} if prompt.notes else {})
                for state, prompt in zip(states, prompts, strict=True)
            ]

    def baseline(
        self, encoder: DialogueEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return what answers cost n-grams, and how good the answer of the nearest question is."""
        from apps.nlp.conversation.judging import rows_of
        from apps.nlp.conversation.rivals import nearest_answers, ngram_nats

        known = answers_of([str(each) for each in splits.train["conversation"]])
        answers, subwords = self.judged_answers(splits.test), encoder.vocabulary.subwords
        pairs, rows = self.pairs(answers, encoder), self.rows(splits.train, encoder)
        name = f"Kneser-Ney of order {NGRAM_ORDER}"
        nats = ngram_nats(rows, pairs, subwords, NGRAM_ORDER, MOST_COUNTED)
        said, ranks = nearest_answers(known, answers)
        of_ngrams = rows_of(answers, pairs, nats, None, {})
        of_nearest = rows_of(answers, pairs, np.zeros(len(pairs)), said, ranks)
        return {
            name: _figures(of_ngrams, ("perplexity", "bits_per_byte"), written_by(name, write)),
            NEAREST: _figures(of_nearest, ("hits_at_1", "hits_at_10", "chrf"), None),
        }

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return nothing: what is judged are answers, of which an example has several."""
        return {}


def _figures(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, Any] | Sequence[str], write: Write | None
) -> Figures:
    for row in rows:
        if write:
            write(dict(row))
    figures = Replies.from_rows(rows).statistics(np.arange(len(rows)))
    return {name: figures[name] for name in names if name in figures}
