"""Settings of partitions in one line."""

from typing import Any

from qmfront.config.stages import Buffer, Embedding, Refine
from qmfront.refine.regions import PartitionSettings


def partition(**keys: Any) -> PartitionSettings:
    """Of keys of the sections refine, buffer and embedding, which share none."""
    return changed(PartitionSettings(), **keys)


def changed(settings: PartitionSettings, **keys: Any) -> PartitionSettings:
    """The same with other values, also such as a study may not have."""
    sections = (settings.refine, settings.buffer, settings.embedding)
    known = set().union(*(type(section).model_fields for section in sections))
    assert set(keys) <= known, set(keys) - known
    parts = (
        section.model_copy(update={name: keys[name] for name in set(keys) & set(type(section).model_fields)})
        for section in sections
    )
    return PartitionSettings(*parts)


__all__ = ["Buffer", "Embedding", "PartitionSettings", "Refine", "changed", "partition"]
