"""Social recommendation: what a person will think of an item, with what those think whom they trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.encoder import RatingsEncoder
from apps.recommendation.friends.encoder import SocialEncoder
from apps.recommendation.ratings import Ratings, row_writer
from core.answers.rows import Figures, written_by
from core.errors import UserError
from core.task.contract import Ability, Encoder
from core.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from apps.recommendation.catalogue.answers import ScoreTastes
    from apps.recommendation.friends.links import Links
    from core.data.examples import Examples, Splits

RIVAL_SWEEPS = 15  # as recommendation/ratings is shipped with
RIVAL = {"dim": 32, "penalty": 3.2, "bias_penalty": 1.5, "exponent": 0.3}  # likewise


class Social(Ratings):
    """Predicts ratings from a person's own, from what they chose to rate, and from whom they trust.

    Reference:
        Guo, Zhang and Yorke-Smith, 2015, TrustSVD, AAAI
    """

    encoder_class: ClassVar[type[Encoder]] = SocialEncoder
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})

    method: Literal["factorisation"] = Field("factorisation", description="factors by gradient")
    links: str | None = Field(
        None,
        description="file of who trusts whom, two users a line; by default links.*, trust.*, friends.* or "
        "user_user.* beside the ratings",
    )
    use_links: bool = Field(True, description="false: the same model without anybody's links")
    both_ways: bool = Field(False, description="a link also speaks for the person who is trusted")
    most_links: int = Field(50, ge=1, le=10_000, description="how many links of one person count, the last")
    link_dropout: float = Field(0.2, ge=0, lt=1, description="share of links left out while training")
    link_penalty: float = Field(0.5, ge=0, description="on what those add whom a person trusts")
    history: int = Field(100, ge=0, description="latest items that describe a person; 0 for none")
    history_dropout: float = Field(0.5, ge=0, lt=1, description="share of them left out while training")
    history_penalty: float = Field(0.01, ge=0, description="on what these items add")

    def load(self) -> Splits:
        """Return the parts of ratings as `Ratings` does, and notes of the links.

        Raises:
            UserError: Nobody of the links has rated anything, or they can't be read.
        """
        from dataclasses import replace

        splits = super().load()
        return replace(splits, notes=(*splits.notes, *self._notes_of_links(splits)))

    def _notes_of_links(self, splits: Splits) -> Sequence[str]:
        links = self._links()
        if links is None:
            return ("no links are used: the model has factors alone",)
        from apps.recommendation.friends.sample import NOTE

        parts = (splits.train, splits.validation, splits.test)
        raters = np.unique(np.concatenate([part["user"] for part in parts]))
        everybody = links.everybody()
        strangers = int((~np.isin(everybody, raters)).sum())
        if strangers == len(everybody):
            raise UserError(
                "Nobody of the links has rated anything: their users must be those of the ratings. "
                f"Received: links of {everybody[0]}, ..., ratings by {raters[0]}, ...."
            )
        made = (NOTE,) if self.data == "sample" and self.links is None else ()
        note = f"{counted(len(links), 'link')} among {len(everybody):,} people, {strangers:,} without ratings"
        return (*made, *links.notes, note)

    def _read(self) -> tuple[Mapping[str, Examples], Sequence[str]]:
        if self.data == "sample":
            from apps.recommendation.friends.sample import ratings_and_links

            return {"train": ratings_and_links()[0]}, ()
        return super()._read()

    def _links(self) -> Links | None:
        """Return who trusts whom; nothing where that is unknown or not to be used."""
        from apps.recommendation.friends.links import links_beside, read_links
        from core.data import sources, tables

        if not self.use_links:
            return None
        path: Path | None
        if self.links is not None:
            path = tables.existing(self.links)
        elif self.data == "sample":
            from apps.recommendation.friends.sample import ratings_and_links

            return self._directed(ratings_and_links()[1])
        else:
            path = None if self.data.startswith(sources.PREFIX) else links_beside(tables.existing(self.data))
        return None if path is None else self._directed(read_links(path))

    def _directed(self, links: Links) -> Links:
        return links.both_ways() if self.both_ways else links

    def encode(self, train: Examples) -> SocialEncoder:
        """Return what `Ratings` learns, with the people of the links, who may have rated nothing."""
        rated = super().encode(train)
        links = self._links()
        if links is None:
            return SocialEncoder(**rated.model_dump())
        others = np.setdiff1d(links.everybody(), np.array(rated.users, object)).tolist()
        users = [*rated.users, *others]
        by_person = links.by_person(users)
        return SocialEncoder(
            **{
                **rated.model_dump(),
                "users": users,
                "user_counts": [*rated.user_counts, *(0 for _ in others)],
                "trusted": [by_person[row].tolist() for row in range(1, len(by_person))],
            }
        )

    def left_out(self, splits: Splits, encoder: SocialEncoder) -> Sequence[str]:
        """Return how many links are beyond those that count."""
        lengths = np.array([len(row) for row in encoder.trusted], np.int64)
        beyond = int(np.maximum(lengths - self.most_links, 0).sum())
        if not beyond:
            return ()
        return (f"{counted(beyond, 'link')} beyond task.most_links={self.most_links} of a person left out",)

    def build(self, encoder: RatingsEncoder) -> keras.Model:
        """Return the model from users and items to ratings, which holds the links."""
        from apps.recommendation.factors import towers
        from apps.recommendation.factors.layers import Factors

        assert isinstance(encoder, SocialEncoder)
        penalties = self.penalty, self.bias_penalty, self.exponent
        items = Factors(encoder.num_items, self.dim, *penalties, name="item_factors")
        item_tower = towers.item_factor_tower(items)
        items.set_counts(encoder.item_counts)
        return towers.two_towers(self._user_tower(encoder, penalties), item_tower, encoder.mean)

    def _user_tower(self, encoder: SocialEncoder, penalties: tuple[float, float, float]) -> keras.Model:
        """Return the tower of people, which holds their links."""
        from apps.recommendation.factors.layers import SeenItems
        from apps.recommendation.friends.layers import ImplicitFactors, PeopleFactors, TrustedMean
        from apps.recommendation.friends.tower import social_tower

        seen = SeenItems(encoder.num_users, sum(encoder.user_counts), self.history, name="seen")
        implicit = ImplicitFactors(
            encoder.num_items, self.dim + 1, self.history_dropout, self.history_penalty, name="implicit"
        )
        links = encoder.links()
        trusted = SeenItems(encoder.num_users, len(links.values), self.most_links, name="trusted")
        users = PeopleFactors(encoder.num_users, self.dim, *penalties, name="user_factors")
        mean = TrustedMean(self.link_dropout, self.link_penalty, name="trusted_mean")
        tower = social_tower(seen, users, trusted, mean, implicit if self.history else None)
        trusted.remember(links)
        counts = np.array(encoder.user_counts)
        users.set_counts(np.maximum(counts, 1).tolist())
        # Who has rated nothing begins with nothing: only what is learnt of their friends speaks for them.
        users.vectors.assign(users.vectors * np.array([0, *(counts > 0)], np.float32)[:, None])
        return tower

    def taste_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScoreTastes:
        """Return the function from ratings by people whom training never saw to their scores of all items.

        What the items say that they chose to rate comes first; factors fit what that leaves of their ratings.
        """
        from apps.recommendation.factors import towers
        from apps.recommendation.friends.tastes import taste_vectors

        scores = towers.vector_scores(model)
        return lambda tastes: scores(taste_vectors(model, self.history, self.least_squares, encoder, tastes))

    def slices(self, splits: Splits, encoder: RatingsEncoder) -> dict[str, np.ndarray]:
        """Return how many ratings the training part has by each user, and how many links they have."""
        from apps.recommendation.friends.encoder import amounts

        assert isinstance(encoder, SocialEncoder)
        users = encoder.interactions(splits.test).users
        columns = {
            "training ratings by the user": amounts(np.array([0, *encoder.user_counts])[users], "rating")
        }
        if encoder.trusted:
            columns["links of the user"] = amounts(encoder.links().lengths[users], "link")
        return columns

    def baseline(self, encoder: RatingsEncoder, splits: Splits, write: Any = None) -> dict[str, Figures]:
        """Return the figures of biases alone, of item neighbours, and of `recommendation/ratings`."""
        from apps.recommendation.catalogue.judging import rating_figures
        from apps.recommendation.factors.least_squares import ExplicitLeastSquares, random_factors

        rivals = super().baseline(encoder, splits, write)
        train, test = encoder.interactions(splits.train), encoder.interactions(splits.test)
        name = "factors without links"
        problem = ExplicitLeastSquares(
            train, encoder.mean, RIVAL["penalty"], RIVAL["bias_penalty"], RIVAL["exponent"]
        )
        factors = random_factors(encoder.num_users, encoder.num_items, int(RIVAL["dim"]), seed=0)
        for _ in range(RIVAL_SWEEPS):
            factors = problem.sweep(factors)
        score = self._within(lambda users, items: factors.scores(users, items) + encoder.mean, encoder)
        rows = row_writer(splits.test, written_by(name, write))
        return {**rivals, name: rating_figures(score, test, rows)}
