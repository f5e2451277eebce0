#!/usr/bin/python3
"""Turns a folder into one assembler file that holds its files, plain and gzipped.

Usage: tools/embed_web.py FOLDER OUT.S

The table `nilo_web_files` has five words for each file: its name, the bytes and their number, the
gzipped bytes and their number (0 where gzip does not make it smaller). src/app/web_files.cc reads
it. The assembler copies the bytes (.incbin), so a megabyte costs no compile time. A folder that is
not there makes an empty table. The same folder makes the same file, byte for byte.
"""

import gzip
import os
import sys

HEAD = """/* Made by tools/embed_web.py. */
  .section .rodata
"""
TABLE = """  .section .data.rel.ro, "aw"
  .balign 8
  .globl nilo_web_files
nilo_web_files:
"""
TAIL = """  .section .rodata
  .balign 8
  .globl nilo_web_file_count
nilo_web_file_count:
  .quad {count}
  .section .note.GNU-stack, "", %progbits
"""


def files_of(folder):
    """Paths below `folder`, sorted; source maps and text for people stay out."""
    found = []
    for root, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(root, name), folder) for name in names
                  if not name.endswith(".map")]
    return sorted(found)


def blob(label, path):
    return f'{label}:\n  .incbin "{path}"\n{label}_end:\n'


def main(folder, out):
    packed_folder = out + ".gz"
    os.makedirs(packed_folder, exist_ok=True)
    text, table = HEAD, TABLE
    names = files_of(folder)
    for number, name in enumerate(names):
        path = os.path.abspath(os.path.join(folder, name))
        with open(path, "rb") as file:
            plain = file.read()
        text += f'name{number}: .asciz "{name}"\n' + blob(f"plain{number}", path)
        packed = gzip.compress(plain, 9, mtime=0)
        if len(packed) < len(plain):
            packed_path = os.path.abspath(os.path.join(packed_folder, f"{number}.gz"))
            with open(packed_path, "wb") as file:
                file.write(packed)
            text += blob(f"gzip{number}", packed_path)
            gzip_words = f"gzip{number}, gzip{number}_end - gzip{number}"
        else:
            gzip_words = "0, 0"
        table += (f"  .quad name{number}, plain{number}, plain{number}_end - plain{number}, "
                  f"{gzip_words}\n")
    with open(out, "w", encoding="utf-8") as file:
        file.write(text + table + TAIL.format(count=len(names)))


main(*sys.argv[1:])
