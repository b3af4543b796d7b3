"""The tokens that a text model knows, of a file beside its page."""

from __future__ import annotations

from pathlib import Path

from sitegen import beside
from sitegen.errors import Place, SitegenError
from sitegen.records import SourceFile
from sitegen.schema import Text
from sitegen.validation import Places

# What Keras calls a token that it does not know; where each token is a number, nothing comes before it, for filling up.
UNKNOWN = "[UNK]"


def read(root: Path, file: SourceFile, said: Text, places: Places, errors: list[SitegenError]) -> list[str]:
    """The tokens in the order of their numbers; blanks are part of them. Appends to `errors`."""
    place = places.of("input.text.vocabulary")
    path = file.path.parent / said.vocabulary
    try:
        # Line ends of all kinds are "\n" here.
        tokens = path.read_text("utf-8-sig").split("\n")
    except OSError:
        hint = "a text file with a token a line, as Keras's get_vocabulary() gives them"
        errors.append(SitegenError(f"no vocabulary file {said.vocabulary}", place, hint))
        return []
    except UnicodeDecodeError:
        errors.append(SitegenError(f"{said.vocabulary} is not UTF-8", place, "save it as UTF-8 in your editor"))
        return []
    if len(tokens) > 1 and not tokens[-1]:
        tokens.pop()
    name = beside.name(root, path.resolve())
    first = begin(said.mode)
    if tokens[: len(first)] != first:
        hint = "as Keras's get_vocabulary() gives it, with what stands for unknown tokens"
        begins = " and ".join("an empty line" if not token else f"a line {token}" for token in first)
        errors.append(SitegenError(f"a vocabulary for mode: {said.mode} begins with {begins}", Place(name, 1, 1), hint))
    seen: dict[str, int] = {}
    for number, token in enumerate(tokens, start=1):
        if seen.setdefault(token, number) != number:
            what = f'the token "{token}" stands in line {seen[token]} already'
            errors.append(SitegenError(what, Place(name, number, 1), "take one of them out, if the model knows one"))
    return tokens


def begin(mode: str) -> list[str]:
    """What a vocabulary begins with."""
    return ["", UNKNOWN] if mode == "int" else [UNKNOWN]
