"""Tables of answers and names: what people write in them, and what is told of rows that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.teaching.answers import Said
from doppelgram.teaching.tables.answers import read_answers
from doppelgram.teaching.tables.names import read_names
from doppelgram.teaching.tables.photographs import Photographs

IDS = [letter * 64 for letter in "abc"]
ROWS = pd.DataFrame({"id": IDS, "path": ["/p/a.jpg", "/p/b.jpg", "/p/ü c.jpg"], "name": ["a.jpg", "b.jpg", "ü c.jpg"]})


@pytest.fixture
def photographs() -> Photographs:
    return Photographs(ROWS)


def test_photographs_are_found_by_path_name_and_id(photographs: Photographs, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(
        f"image_a,image_b,same\n/p/a.jpg,b.jpg,1\n{IDS[0]},u\u0308 c.jpg,no\nb.jpg,/p/ü c.jpg,0.25\na.jpg,b.jpg,\n"
    )
    read = read_answers(file, photographs)
    assert [(one.ids_a[0], one.ids_b[0], one.degree) for one in read.said] == [
        (IDS[0], IDS[1], 1.0),
        (IDS[0], IDS[2], 0.0),
        (IDS[1], IDS[2], 0.25),
    ]
    assert read.problems == []


def test_a_bad_row_is_told_with_its_number_and_the_rest_goes_on(photographs: Photographs, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(
        "image_a;image_b;same\na.jpg;x.jpg;1\na.jpg;a.jpg;1\na.jpg;b.jpg;maybe\na.jpg;b.jpg;2\n;b.jpg;1\na.jpg;b.jpg;ja\nb.jpg;a.jpg;yes\n"
    )
    read = read_answers(file, photographs)
    assert [one.degree for one in read.said] == [1.0]
    assert read.problems == [
        f"{file}: row 2: there is no photograph 'x.jpg' in the catalog",
        f"{file}: row 3: compares a photograph with itself",
        f"{file}: row 4: the answer is 'maybe'; write yes, no, or a number 0 to 1",
        f"{file}: row 5: the answer is '2'; write yes, no, or a number 0 to 1",
        f"{file}: row 6: image_a is empty",
        f"{file}: row 7: the answer is 'ja'; write yes, no, or a number 0 to 1",
    ]


def test_rows_of_an_exported_answer_that_were_changed_are_answers_of_their_own(
    photographs: Photographs, tmp_path: Path
) -> None:
    a, b, c = IDS
    file = tmp_path / "answers.csv"
    header = "id_a,id_b,same,answer,aside,shown_a,shown_b,odds,strength\n"
    whole = f"{a},{b},1,4,0,{a},{b} {c},'-1.5,1.4\n"
    file.write_text(f"{header}{whole}{a},{c},1,4,0,,,,\n")
    assert read_answers(file, photographs).said == [Said((a,), (b, c), 1.0, -1.5, 1.4)]
    file.write_text(f"{header}{whole}{a},{c},0,4,0,,,,\n")
    assert read_answers(file, photographs).said == [Said((a,), (b,), 1.0), Said((a,), (c,), 0.0)]
    file.write_text(f"{header}{whole}")
    assert read_answers(file, photographs).said == [Said((a,), (b,), 1.0)]
    file.write_text(f"{header}{a},{b},1,,yes,,,,\n{a},{b},1,,maybe,,,,\n{a},{b},1,,,,,nan,\n{a},{b},1,,,,,1,-2\n")
    read = read_answers(file, photographs)
    assert [one.aside for one in read.said] == [True]
    assert [problem.split(": ", 2)[2] for problem in read.problems] == [
        "aside is 'maybe'; write 1 or 0",
        "odds is 'nan'; leave it as it was exported, or empty",
        "strength is '-2'; leave it as it was exported, or empty",
    ]


def test_names_are_read_beside_their_photographs(photographs: Photographs, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("path,label\na.jpg, Old  bridge\n/p/b.jpg,Old bridge\nx.jpg,Gate\nü c.jpg,\n", encoding="utf-8")
    read = read_names(file, photographs)
    assert read.named == {"Old bridge": IDS[:2]}
    assert read.problems == [f"{file}: row 4: there is no photograph 'x.jpg' in the catalog"]


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_answers, "image_a,same\na,1\n", "needs the columns image_a, image_b and same"),
        (read_answers, "path_a,path_b\na,b\n", "needs the columns image_a, image_b and same"),
        (read_names, "label\nx\n", "needs the columns path and label"),
        (read_names, None, "there is no such file"),
    ],
)
def test_a_table_without_its_columns_is_refused(read, text, message, photographs: Photographs, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "table.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DoppelgramError, match=message):
        read(file, photographs)
