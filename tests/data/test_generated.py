"""Dates and tagged sentences are correct, and equal for the same seed."""

import collections
import datetime
import itertools

import numpy as np
import pytest

from d2lrnn.data import generated

WRITTEN = {
    "{month} {day}, {year}": "march 3, 1987",
    "{month} {nth}, {year}": "march 3rd, 1987",
    "{mon} {day}, {year}": "mar 3, 1987",
    "{mon} {nth} {year}": "mar 3rd 1987",
    "{day} {month} {year}": "3 march 1987",
    "{nth} {month} {year}": "3rd march 1987",
    "{day} {mon} {year}": "3 mar 1987",
    "{day}-{mon}-{year}": "3-mar-1987",
    "the {nth} of {month} {year}": "the 3rd of march 1987",
    "{weekday}, {month} {day}, {year}": "tuesday, march 3, 1987",
    "{weekday} the {nth} of {month}, {year}": "tuesday the 3rd of march, 1987",
    "{wkd} {day} {mon} {year}": "tue 3 mar 1987",
    "{day}.{number}.{year}": "3.3.1987",
    "{year}, {month} {day}": "1987, march 3",
}


def days_of(pairs):
    return {iso for _, iso in pairs}


@pytest.mark.parametrize("form", generated.DATE_FORMS)
def test_a_day_is_written_in_each_form(form):
    assert generated.write_date(datetime.date(1987, 3, 3), form) == WRITTEN[form]


def test_digits_alone_mean_day_month_year():
    written = generated.write_date(datetime.date(1987, 4, 3), "{day}.{number}.{year}")
    assert written == "3.4.1987"


def test_ordinals_end_as_they_are_spoken():
    days = [datetime.date(2000, 1, 1) + datetime.timedelta(days=index) for index in range(31)]
    endings = [generated.write_date(day, "{nth}")[-2:] for day in days]
    first_ten = ["st", "nd", "rd", *["th"] * 7]
    assert endings == [*first_ten, *["th"] * 10, *first_ten, "st"]


def test_months_and_weekdays_have_the_names_of_the_calendar():
    for index in range(366):
        day = datetime.date(2000, 1, 1) + datetime.timedelta(days=index)
        written = generated.write_date(day, "{weekday} {wkd} {month} {mon}")
        assert written == day.strftime("%A %a %B %b").lower()


def test_no_two_days_are_ever_written_alike():
    days = [datetime.date(2007, 1, 1) + datetime.timedelta(days=index) for index in range(1000)]
    meant = collections.defaultdict(set)
    for day, form in itertools.product(days, generated.DATE_FORMS):
        meant[generated.write_date(day, form)].add(day)
    assert max(map(len, meant.values())) == 1


@pytest.mark.parametrize("held_out", [False, True])
def test_each_pair_is_one_day_in_one_of_the_forms(held_out):
    seen = collections.Counter()
    for written, iso in generated.date_pairs(2000, seed=1, held_out=held_out):
        day = datetime.date.fromisoformat(iso)
        forms = [f for f in generated.DATE_FORMS if generated.write_date(day, f) == written]
        seen.update(forms[:1])
        assert forms
        assert 1900 <= day.year <= 2099
    assert min(seen[form] for form in generated.DATE_FORMS) > 60  # of 143, or more in may


def test_training_days_and_held_out_days_do_not_overlap():
    train, held_out = (
        days_of(
            pair for seed in range(3) for pair in generated.date_pairs(20_000, seed=seed, **how)
        )
        for how in ({}, {"held_out": True})
    )
    assert len(train) > 30_000
    assert not train & held_out


def test_a_tenth_of_all_days_is_held_out():
    held_out = days_of(generated.date_pairs(100_000, held_out=True))
    assert len(held_out) == 73_049 // 10


def test_the_days_held_out_never_change():
    held_out = days_of(generated.date_pairs(100_000, seed=1, held_out=True))
    assert sorted(held_out)[:3] == ["1900-01-12", "1900-01-17", "1900-01-22"]


def test_dates_need_few_characters():
    text = "".join(written + iso for written, iso in generated.date_pairs(5000))
    assert len(set(text)) <= 40
    assert text == text.lower()


def test_tags_and_words_go_together():
    by_tag = collections.defaultdict(set)
    for symbol, words in generated.WORDS.items():
        by_tag[symbol.split(":")[0]].update(words.split())
    for words, tags in generated.tagged_sentences(500):
        assert len(words) == len(tags) > 1
        assert all(word in by_tag[tag] for word, tag in zip(words, tags, strict=True))


@pytest.mark.parametrize(("subject", "singular"), [("she", True), ("they", False)])
def test_a_verb_of_the_grammar_agrees_with_its_subject(subject, singular):
    sentences = generated.tagged_sentences(500, seed=2)
    verbs = {words[1] for words, tags in sentences if (words[0], tags[1]) == (subject, "VERB")}
    assert len(verbs) > 3
    assert {verb.endswith("s") for verb in verbs} == {singular}


def test_the_article_a_never_comes_before_a_vowel():
    sentences = [words for words, _ in generated.tagged_sentences(2000, seed=3)]
    pairs = itertools.chain.from_iterable(map(itertools.pairwise, sentences))
    after = {second for first, second in pairs if first == "a"}
    assert len(after) > 10
    assert not {word for word in after if word[0] in "aeiou"}


@pytest.mark.parametrize("symbol", generated.RULES)
def test_each_row_of_the_grammar_adds_up_to_1_and_leads_to_known_symbols(symbol):
    row = generated.RULES[symbol]
    assert sum(row.values()) == pytest.approx(1, abs=1e-12)
    assert set(" ".join(row).split()) <= {*generated.RULES, *generated.WORDS}


def test_sentences_end():
    """The mean number of symbols shrinks with each round of rules: no eigenvalue reaches 1."""
    symbols = list(generated.RULES)
    become = np.zeros((len(symbols), len(symbols)))
    for symbol, row in generated.RULES.items():
        for sequence, probability in row.items():
            for part in set(sequence.split()) & set(symbols):
                count = sequence.split().count(part)
                become[symbols.index(symbol), symbols.index(part)] += count * probability
    assert abs(np.linalg.eigvals(become)).max() < 1


def counted(sentences):
    counts = collections.defaultdict(collections.Counter)
    for words, tags in sentences:
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    return counts


def test_the_best_tagger_of_single_words_has_the_accuracy_of_counting():
    counts = counted(generated.tagged_sentences(5000, seed=4))
    right = sum(max(tags.values()) for tags in counts.values())
    total = sum(sum(tags.values()) for tags in counts.values())
    assert generated.one_word_accuracy() == pytest.approx(right / total, abs=0.01)


@pytest.mark.parametrize("word", ["watch", "light", "ships", "turns", "her"])
def test_a_word_alone_does_not_determine_its_tag(word):
    tags = counted(generated.tagged_sentences(5000, seed=5))[word]
    assert len(tags) >= 2
    assert max(tags.values()) < 0.9 * sum(tags.values())


@pytest.mark.parametrize("make", [generated.date_pairs, generated.tagged_sentences])
def test_the_same_seed_generates_the_same_data(make):
    one, same, other = (make(50, seed=seed) for seed in (1, 1, 2))
    assert one == same != other
    assert len(one) == 50


@pytest.mark.parametrize("make", [generated.date_pairs, generated.tagged_sentences])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_a_number_that_is_not_a_count_is_refused(make, wrong):
    with pytest.raises(ValueError, match="expected an integer, 1 or above"):
        make(wrong)


@pytest.mark.parametrize("make", [generated.date_pairs, generated.tagged_sentences])
def test_a_seed_below_zero_is_refused(make):
    with pytest.raises(ValueError) as error:
        make(1, seed=-1)
    assert str(error.value) == "seed is -1; expected an integer, 0 or above"
