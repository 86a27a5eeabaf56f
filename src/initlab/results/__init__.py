"""The dataset: its schema, and how it is kept on disk."""

from initlab.results._chunks import NOT_RUN, Form, encode
from initlab.results._export import FORMATS, TABLES, export, tidy
from initlab.results._keys import WRITER_FOLDER, LocalKeys, is_remote, keys_of
from initlab.results._layout import FACTS, STATE, Layout
from initlab.results._lock import sole_writer, writer_of
from initlab.results._merge import merge
from initlab.results._open import (
    migrated,
    open_store,
    refuse_newer,
    refuse_unstorable,
    root_attributes,
)
from initlab.results._schema import SCHEMA, SCHEMA_VERSION, pack
from initlab.results._shards import Place, State, StudyStore, identity_of
from initlab.results._status import Status, status, status_as_json
from initlab.results._store import (
    JSON,
    PAGES,
    WEIGHTS,
    as_path,
    moved_into_place,
    refuse_existing,
    refuse_not_text,
    refuse_unwritable,
    save,
    write_netcdf,
)
from initlab.results._whole import refuse_damaged

__all__ = [
    "FACTS",
    "FORMATS",
    "JSON",
    "NOT_RUN",
    "PAGES",
    "SCHEMA",
    "SCHEMA_VERSION",
    "STATE",
    "TABLES",
    "WEIGHTS",
    "WRITER_FOLDER",
    "Form",
    "Layout",
    "LocalKeys",
    "Place",
    "State",
    "Status",
    "StudyStore",
    "as_path",
    "encode",
    "export",
    "identity_of",
    "is_remote",
    "keys_of",
    "merge",
    "migrated",
    "moved_into_place",
    "open_store",
    "pack",
    "refuse_damaged",
    "refuse_existing",
    "refuse_newer",
    "refuse_not_text",
    "refuse_unstorable",
    "refuse_unwritable",
    "root_attributes",
    "save",
    "sole_writer",
    "status",
    "status_as_json",
    "tidy",
    "write_netcdf",
    "writer_of",
]
