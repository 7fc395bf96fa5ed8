"""Secrets stay out of texts and logs."""

from __future__ import annotations

import inspect
import io
import logging
import traceback
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.domain.secrets import OF_THIS_PROCESS, MaskedError, MaskingFilter, Secrets, masked_errors

KEY = "PK42/sec+ret=="


def knowing(*values: str) -> Secrets:
    secrets = Secrets()
    for value in values:
        secrets.register(value)
    return secrets


def logged(write: Callable[[logging.Logger], None], *, name: str = "bot", secrets: Secrets | None = None) -> str:
    """Return what a handler with the filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskingFilter(secrets or knowing(KEY)))
    logger = logging.Logger(name, level=logging.DEBUG)  # noqa: LOG001  # stays out of the process's tree of loggers
    logger.addHandler(handler)
    write(logger)
    return stream.getvalue()


def test_a_registered_secret_is_masked_wherever_it_stands():
    assert knowing(KEY).mask(f"{KEY} and key={KEY}!") == "**** and key=****!"


def test_a_secret_is_masked_as_it_looks_inside_an_address():
    assert knowing(KEY).mask("https://news.example/?apiKey=PK42%2Fsec%2Bret%3D%3D&q=a") == (
        "https://news.example/?apiKey=****&q=a"
    )


def test_the_longer_of_two_secrets_is_masked_whole():
    assert knowing("abcd", "abcdefgh").mask("abcdefgh abcd") == "**** ****"


def test_values_of_three_characters_are_left_alone():
    assert knowing("abc", "  ", "").mask("abc 1") == "abc 1"


def test_without_secrets_a_text_stays_as_it_is():
    assert Secrets().mask("anything") == "anything"


@given(st.lists(st.text(min_size=4).filter(lambda value: len(value.strip()) >= 4), min_size=1), st.text(), st.text())
def test_no_secret_survives_whatever_surrounds_it(values: list[str], before: str, after: str):
    secrets = knowing(*values)

    for value in values:
        masked = secrets.mask(f"{before}\n{value}\n{after}")
        assert value.strip() not in masked.replace("****", "\0")


def test_a_log_message_is_masked_in_its_text_and_its_arguments():
    assert logged(lambda log: log.info("key PK42/sec+ret== and %s", {"key": KEY})) == "key **** and {'key': '****'}\n"


def test_a_record_without_secrets_keeps_its_arguments():
    record = logging.LogRecord("bot", logging.INFO, "", 1, "%s fills", (2,), None)

    assert MaskingFilter(knowing(KEY)).filter(record)

    assert (record.msg, record.args) == ("%s fills", (2,))


def test_an_exception_is_masked_with_its_causes():
    def write(log: logging.Logger) -> None:
        try:
            try:
                raise ConnectionError(f"https://api.example/?key={quote(KEY, safe='')}")
            except ConnectionError as error:
                raise ValueError(f"bad {KEY}") from error
        except ValueError:
            log.exception("It failed")

    text = logged(write)

    assert "ValueError: bad ****" in text
    assert "ConnectionError: https://api.example/?key=****" in text


def test_a_stack_is_masked():
    secrets = knowing("a_line_of_this_file")

    assert "a_line_of_this_file" not in logged(a_line_of_this_file, secrets=secrets)


def a_line_of_this_file(log: logging.Logger) -> None:
    log.info("Here", stack_info=True)


def test_a_wrongly_written_log_line_shows_no_secret_either():
    assert logged(lambda log: log.info("%d orders", KEY)) == "%d orders ('****',)\n"


@pytest.mark.parametrize("name", ["httpx", "urllib3.connectionpool", "requests", "httpcore.connection"])
def test_libraries_that_print_addresses_are_heard_from_warnings_on(name: str):
    def write(log: logging.Logger) -> None:
        log.debug("GET https://api.example/")
        log.info("GET https://api.example/")
        log.warning("retrying")

    assert logged(write, name=name) == "retrying\n"


# ── errors ────────────────────────────────────────────────────────────────────────────────────────

HIDDEN = "hunter2hunter2"


class KeepsItsUrl(Exception):
    """An error whose words are not in its arguments."""

    __slots__ = ("url",)

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def __str__(self) -> str:
        return f"no answer from {self.url}"


def raised(error: BaseException) -> BaseException:
    """Return what comes out when `error` is raised where errors are masked."""
    OF_THIS_PROCESS.register(HIDDEN)
    with pytest.raises(BaseException) as caught, masked_errors():  # noqa: PT011
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError(f"GET /{HIDDEN}"), "GET /****"),
        (KeyError(HIDDEN), "'****'"),
        (ValueError({"key": HIDDEN}), "{'key': '****'}"),
        (FileNotFoundError(2, "No such file", f"/{HIDDEN}/x"), "[Errno 2] No such file: '/****/x'"),
        (ImportError(f"no module {HIDDEN}", name=HIDDEN), "no module ****"),
        (KeepsItsUrl(f"https://x/{HIDDEN}"), "no answer from https://x/****"),
        (RuntimeError(ValueError(HIDDEN)), "****"),
        (SystemExit(HIDDEN), "****"),
    ],
)
def test_an_error_is_masked_and_keeps_its_type(error: BaseException, words: str):
    kind = type(error)

    masked = raised(error)

    assert masked is error
    assert type(masked) is kind
    assert str(masked) == words
    assert HIDDEN not in repr(masked)


def test_every_error_behind_an_error_is_masked():
    try:
        try:
            raise OSError(f"socket {HIDDEN}")
        except OSError as low:
            low.add_note(f"tried {HIDDEN}")
            raise ConnectionError(f"connect {HIDDEN}") from low
    except ConnectionError:
        told = traceback.TracebackException.from_exception(raised(ValueError("gave up")))

    assert told.__context__ is not None
    assert str(told.__context__) == "connect ****"
    assert told.__context__.__cause__ is not None
    assert str(told.__context__.__cause__) == "socket ****"
    assert told.__context__.__cause__.__notes__ == ["tried ****"]


def test_an_error_whose_words_cannot_be_changed_is_replaced():
    masked = raised(ExceptionGroup(f"two of {HIDDEN}", [ValueError(HIDDEN)]))

    assert isinstance(masked, MaskedError)
    assert str(masked) == "ExceptionGroup: two of **** (1 sub-exception)"


def test_an_error_behind_whose_words_cannot_be_changed_is_replaced():
    error = ValueError("gave up")
    error.__cause__ = ExceptionGroup(HIDDEN, [ValueError("one")])

    assert str(raised(error).__cause__) == "ExceptionGroup: **** (1 sub-exception)"


def test_errors_that_go_round_in_a_circle_are_masked_once():
    one, two = ValueError(HIDDEN), ValueError(HIDDEN)
    one.__cause__, two.__cause__ = two, one

    assert str(raised(one)) == str(two) == "****"


def test_a_function_whose_errors_are_masked_keeps_its_name_and_its_parameters():
    @masked_errors()
    def divide(number: int, by: int) -> float:
        """Divide."""
        return number / by

    assert divide.__name__ == "divide"
    assert list(inspect.signature(divide).parameters) == ["number", "by"]
    assert divide(6, by=3) == 2
