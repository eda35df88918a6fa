"""Python names of exports."""

import pytest
from unpanic._declarations.naming import class_name, enum_members, member_name, python_name, python_names


@pytest.mark.parametrize(
    ("exported", "expected"),
    [
        ("add", "add"),
        ("split_in_two", "split_in_two"),
        ("splitInTwo", "split_in_two"),
        ("asPng", "as_png"),
        ("PascalCase", "pascal_case"),
        ("toJSON", "to_json"),
        ("URLFor", "url_for"),
        ("prqlToSQL", "prql_to_sql"),
        ("openURLs", "open_urls"),
        ("HTTPServerOf", "http_server_of"),
        ("isABTest", "is_ab_test"),
        ("toU8Array", "to_u8_array"),
        ("f32Add", "f32_add"),
        ("addF32", "add_f32"),
        ("md5", "md5"),
        ("md5Sum", "md5_sum"),
        ("sha256", "sha256"),
        ("toBase64URL", "to_base64_url"),
        ("utf8ToUTF16", "utf8_to_utf16"),
        ("is3D", "is3d"),
        ("point3DView", "point3d_view"),
        ("only2Dimensions", "only2_dimensions"),
        ("x", "x"),
        ("X", "x"),
        ("MAX_SIZE", "max_size"),
        ("_private", "_private"),
        ("__veryPrivate", "__very_private"),
        ("trailing_", "trailing_"),
        ("class", "class_"),
        ("import", "import_"),
        ("None", "none"),
        ("True", "true"),
        ("type", "type"),
        ("$", "_"),
        ("$at", "_at"),
        ("jquery$Find", "jquery_find"),
        ("größeVon", "größe_von"),
        ("ÄrgerVon", "ärger_von"),
        ("1st", "_1st"),
        ("", "_"),
    ],
)
def test_python_name(exported, expected):
    """A name becomes the PEP 8 name, and is always an identifier."""
    assert python_name(exported) == expected
    assert python_name(exported).isidentifier()


def test_python_name_twice():
    """A Python name stays as it is."""
    for name in ("splitInTwo", "toU8Array", "openURLs", "point3DView", "class", "$at"):
        assert python_name(python_name(name)) == python_name(name)


def test_both_spellings():
    """Names that would become the same stay as they are exported, and other names still change."""
    assert python_names(["splitInTwo", "split_in_two", "asPng"]) == {
        "splitInTwo": "splitInTwo",
        "split_in_two": "split_in_two",
        "asPng": "as_png",
    }
    assert python_names(["fooBar", "FooBar"]) == {"fooBar": "fooBar", "FooBar": "FooBar"}


def test_classes_and_members():
    """Names of classes and of members stay, unless Python reserves them."""
    assert class_name("LoroDoc") == "LoroDoc"
    assert class_name("None") == "None_"
    assert member_name("Red") == "Red"
    assert member_name("RED_LIGHT") == "RED_LIGHT"
    assert member_name("None") == "None_"
    assert member_name("mro") == "mro_"


def test_string_members():
    """The members of a string enum are its values in PascalCase, each with a name of its own."""
    assert enum_members(["fast", "extra-large", "camelCase", "UTF-8", "a b"]) == {
        "Fast": "fast",
        "ExtraLarge": "extra-large",
        "CamelCase": "camelCase",
        "UTF8": "UTF-8",
        "AB": "a b",
    }
    assert enum_members(["none", "", "3d", "-"]) == {"None_": "none", "Empty": "", "_3d": "3d", "Empty_2": "-"}
