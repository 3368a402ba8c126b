"""Text for a language model: split without leaks, encoded without loss, cut into batches that a step number decides."""

import numpy as np
import pytest

from lessons_lib import data
from lessons_lib.data import (
    END,
    Example,
    answers,
    bpe,
    corpus,
    docstring_task,
    encode,
    functions,
    in_order,
    shuffled,
    windows,
)


@pytest.fixture(scope="module")
def text() -> data.Corpus:
    return corpus()


@pytest.fixture(scope="module")
def tokenizer(text):
    return bpe(text.train)


def decode(tokenizer, ids) -> str:
    return tokenizer.decode(list(map(int, ids)), skip_special_tokens=False)


def test_no_paragraph_is_on_both_sides(text):
    train, validation = ({p.strip() for p in part.split("\n\n")} for part in (text.train, text.validation))
    assert train & validation <= {""}
    assert len(text.train) > 250_000 and 10_000 < len(text.validation) < len(text.train) / 4 < len(text.shifted)


def test_a_seed_draws_the_pages_by_their_names(text):
    assert corpus(seed=0) == text and corpus(seed=1).validation != text.validation
    assert corpus(seed=1).shifted == text.shifted


@pytest.mark.parametrize("many", [True, False])
def test_a_readers_own_text_takes_its_place(tmp_path, many, text):
    paragraphs = [f"Paragraph {i}: {'word ' * (i % 7 + 20)}end" for i in range(400)]
    if many:
        for i in range(50):
            (tmp_path / f"{i}.md").write_text("\n\n".join(paragraphs[8 * i : 8 * i + 8]), encoding="utf-8")
        (tmp_path / "picture.png").write_bytes(b"\xff\xd8")
        own = corpus(tmp_path)
    else:
        (tmp_path / "one.log").write_text("\n\n".join(paragraphs), encoding="utf-8")
        own = corpus(tmp_path / "one.log")
    assert sorted((own.train + "\n\n" + own.validation).split("\n\n")) == sorted(paragraphs)
    assert 0.05 < len(own.validation) / len(own.train) < 0.6 and own.shifted == text.shifted


def test_every_text_comes_back_exactly(text, tokenizer):
    odd = "naïve façade, 你好, \t tabs\r\n\n\n  spaces  , emoji 🙂, \x00 and " + END
    for sample in (text.validation, text.shifted[:50_000], odd, ""):
        assert decode(tokenizer, encode(tokenizer, sample)) == sample
    assert tokenizer.get_vocab_size() == 512 and tokenizer.token_to_id(END) == 0
    assert len(encode(tokenizer, text.validation)) < 0.6 * len(text.validation)
    assert bpe(text.train).to_str() == tokenizer.to_str()


def test_functions_say_what_they_do():
    found = functions()
    assert len(found) > 2000 and len({(f.signature, f.summary) for f in found}) == len(found)
    abspath = next(f for f in found if f.module == "posixpath" and f.signature == "def abspath(path)")
    assert abspath.summary == "Return an absolute path."
    more = functions(packages=True)
    assert {(f.signature, f.summary) for f in more} > {(f.signature, f.summary) for f in found}


def test_windows_are_pieces_of_the_text_and_the_step_decides_which():
    ids = np.arange(100)
    batch = windows(ids, 7, 5)
    for step in (0, 3):
        x, y, weight = batch(step)
        assert x.shape == (5, 7) and (y == x + 1).all() and (np.diff(x) == 1).all() and (weight == 1).all()
    np.testing.assert_array_equal(batch(3).x, windows(ids, 7, 5)(3).x)
    assert not np.array_equal(batch(3).x, batch(4).x) and not np.array_equal(
        batch(3).x, windows(ids, 7, 5, seed=1)(3).x
    )
    reached = np.concatenate([windows(ids, 7, 50)(s).x.ravel() for s in range(50)] + [windows(ids, 7, 50)(9).y.ravel()])
    assert set(reached) >= set(range(99))


def test_a_text_in_order_is_read_once():
    batch = in_order(np.arange(24), 5)
    np.testing.assert_array_equal(batch.x.ravel(), np.arange(20))
    np.testing.assert_array_equal(batch.y, batch.x + 1)
    assert in_order(np.arange(24), 5, most=2).x.shape == (2, 5)


def test_only_the_answer_counts():
    examples = [
        Example(np.array([5, 6, 7]), np.array([8, 9, 0])),
        Example(np.array([1]), np.array([2, 0])),
        Example(np.arange(20), np.arange(3)),
    ]
    x, y, weight = answers(examples, context=6)
    np.testing.assert_array_equal(x, [[5, 6, 7, 8, 9, 0], [1, 2, 0, 0, 0, 0]])
    np.testing.assert_array_equal(y, [[6, 7, 8, 9, 0, 0], [2, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(weight, [[0, 0, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(
        answers(examples, 6, mask_prompt=False).weight, [[1, 1, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0]]
    )


def test_the_docstring_task_tests_on_other_modules(tokenizer):
    train, test = docstring_task(tokenizer)
    assert len(train) > 1500 and len(test) > 200
    said = {
        part: {decode(tokenizer, e.answer) for e in part_of} for part, part_of in (("train", train), ("test", test))
    }
    assert not said["train"] & said["test"]
    example = train[10]
    assert decode(tokenizer, example.prompt).startswith("def ") and decode(tokenizer, example.prompt).endswith(":\n")
    assert example.answer[-1] == 0 and 0 not in example.answer[:-1]


def test_a_pass_over_the_set_takes_each_row_once():
    batch = in_order(np.arange(61), 5)
    draw = shuffled(batch, 4, seed=1)
    first, second = (np.concatenate([draw(s).x[:, 0] for s in steps]) for steps in (range(3), range(3, 6)))
    assert sorted(first) == sorted(second) == list(range(0, 60, 5)) and list(first) != list(second)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda p: corpus(p / "no"), FileNotFoundError, "source=.*no' is not there"),
        (lambda p: corpus(_file(p, b"")), ValueError, "source=.* holds no text"),
        (lambda p: corpus(_file(p, b" \n\n ")), ValueError, "source=.* holds no text"),
        (lambda p: corpus(_file(p, b"one line")), ValueError, "source=.* is too short to be split"),
        (lambda p: corpus(_file(p, b"\xff\xfe\x00")), ValueError, "source=.* is not text in UTF-8"),
        (lambda p: corpus(p), ValueError, "source=.* holds no text; allowed are a text file or a folder"),
        (lambda p: corpus(seed=-1), ValueError, "seed=-1"),
        (lambda p: bpe(""), ValueError, "text must hold text"),
        (lambda p: bpe(7), ValueError, "text must hold text"),
        (lambda p: bpe("abc", 100), ValueError, "size=100"),
        (lambda p: windows(np.arange(10), 10, 2), ValueError, "ids holds 10 tokens; context=10 needs at least 11"),
        (lambda p: in_order(np.arange(10), 10), ValueError, "ids holds 10 tokens; context=10 needs at least 11"),
        (lambda p: windows(np.arange(10), 0, 2), ValueError, "context=0"),
        (lambda p: answers([], 10), ValueError, "none of 0 fits into context=10"),
        (lambda p: shuffled(in_order(np.arange(10), 2), 5), ValueError, "the set has 4 rows; rows=5 is more"),
    ],
)
def test_bad_input(call, error, says, tmp_path):
    with pytest.raises(error, match=says):
        call(tmp_path)


def _file(folder, content: bytes):
    file = folder / "text.txt"
    file.write_bytes(content)
    return file
