"""Write src/random/tables.json: NumPy's ziggurat, from the library that NumPy ships.

NumPy computed its tables in double precision; exact ones differ in their last bits,
and would give other numbers than Python's.
"""

import base64
import json
import struct
from pathlib import Path

import numpy as np

LIBRARY = Path(np.random.__file__).parent / "lib" / "libnpyrandom.a"
TARGET = Path(__file__).parent / "src" / "random" / "tables.json"
# First numbers of the tables, NumPy's ziggurat_constants.h: ki, wi, and fi's second.
FIRST_K, FIRST_W = 0x000EF33D8025EF6A, 8.68362706080130616677e-16
SECOND_F = 9.77101701267671596263e-01
BYTES = 256 * 8


def main() -> None:
    library = LIBRARY.read_bytes()
    places = {
        "k": library.index(struct.pack("<Q", FIRST_K)),
        "w": library.index(struct.pack("<d", FIRST_W)),
        "f": library.index(struct.pack("<dd", 1.0, SECOND_F)),
    }
    tables = {
        name: base64.b64encode(library[place : place + BYTES]).decode()
        for name, place in places.items()
    }
    TARGET.write_text(json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()
