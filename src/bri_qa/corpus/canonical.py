"""Bytes to canonical text: UTF-8 without its mark, line ends `\\n`, NFC, no control characters."""

from __future__ import annotations

import re
import unicodedata

from bri_qa.corpus.records import Unusable

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


def canonical(data: bytes) -> str:
    """The text of a file.

    Raises:
        Unusable: it is binary or not UTF-8; says where.
    """
    if data.startswith(_UTF16_MARKS):
        raise Unusable("not UTF-8 but UTF-16; convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW")
    if (at := data.find(b"\0")) >= 0:
        raise Unusable(f"binary: NUL at byte {at}; only text can be read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the codec counts from after the byte order mark
        at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise Unusable(
            f"not UTF-8 at byte {at}; convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
        ) from error
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise Unusable(f"binary: control character U+{ord(control[0]):04X} on line {line}; remove it")
    return text
