"""Texts as people read them: UTF-8 first, GBK only where it surely is."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.snmp.text import decode_mac, decode_text

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "captures" / "nasty" / "derived_gbk_vrp_5720.truth.json"


@pytest.mark.skipif(not TRUTH.exists(), reason="../shared/captures is not here")
def test_the_derived_capture_means_what_its_truth_says():
    truth = json.loads(TRUTH.read_text())
    items = [*truth["ifAlias"].values(), *truth["ifName"].values(), truth["sysLocation"], truth["sysName"]]
    assert [decode_text(bytes.fromhex(item["hex"])) for item in items] == [item["text"] for item in items]


@pytest.mark.parametrize(
    "text",
    [
        "教室",
        "一中",
        "机房",
        "办公室",
        "移动专线",
        "食堂AP",
        "（备用）联通",
        "3号楼",
        "校长室",
        "北教学楼A",
        "至三中-汇聚",
    ],
)
def test_gbk_is_read_as_chinese(text):
    assert decode_text(text.encode("gbk")) == text


@pytest.mark.parametrize(
    "text",
    [
        "créée",
        "©2019 Cisco",
        "Câblage ©2019",
        "ÄÖÜäöüß",
        "25°±2",
        "«été»",
        "Übergröße",
        "São João",
        "Señor Ñandú",
        "10µm ±2",
        "ÉÉ",
        "àéè",
    ],
)
def test_latin1_never_turns_into_hanzi(text):
    assert decode_text(text.encode("latin-1")) == text


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60))
def test_utf8_stays_itself(text):
    assert decode_text(text.encode()) == text


@given(
    st.text(st.characters(whitelist_categories=["Lo"], min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=3),
    st.integers(1, 3),
)
def test_utf8_cut_in_a_character_loses_that_character_alone(text, cut):
    assert decode_text(text.encode()[:-cut] if cut < 3 else text.encode()[:-3]) == text[:-1]


@given(st.binary(max_size=80))
def test_any_octets_give_a_text_without_control_characters(data):
    text = decode_text(data)
    assert not any(ord(c) < 32 and c not in "\t\r\n" for c in text)


def test_what_follows_a_nul_is_padding():
    assert decode_text(b"uplink\0\0\0") == "uplink"
    assert decode_text(b"PORT\0\0\x12\xb8") == "PORT"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P`(vJ0", "506028764a30"),
        (b"00:1a:2B:3:04:5", "001a2b030405"),
        (b"001a-2b03-0405", "001a2b030405"),
        (b"\x00\x01\x02\x03\x04", None),
        (b"", None),
    ],
)
def test_a_mac_stays_octets(data, expected):
    assert decode_mac(data) == expected
