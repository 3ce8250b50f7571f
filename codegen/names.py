"""Names: the model's words in C++ clothes. AWS's word wins, only the case changes."""

import re

KEYWORDS = set(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl
    concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete
    do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
    requires return short signed sizeof static static_assert static_cast struct switch template this thread_local throw
    true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
    errno major minor unix linux assert stdin stdout stderr descriptor""".split()
)


def snake(name):
    """PutItem -> put_item, KMSMasterKeyId -> kms_master_key_id, ARNs -> arns, IPv6Cidr -> ipv6_cidr."""
    name = name.replace("IPv", "Ipv").replace("-", "_").replace(".", "_").replace("$", "")
    name = re.sub(r"([A-Z]{2,})s(?=$|[A-Z_])", lambda m: m.group(1).capitalize() + "s", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"_+", "_", name).lower().strip("_")


def member(name):
    out = snake(name)
    if out in KEYWORDS:
        out += "_"
    return out if not out[0].isdigit() else "n" + out


def constant(value):
    """An enum value as a constant: PAY_PER_REQUEST -> kPayPerRequest, python3.12 -> kPython312."""
    words = re.split(r"[^A-Za-z0-9]+", value)
    parts = []
    for word in words:
        if word.isupper() or not word:
            word = word.capitalize()
        elif word:
            word = word[0].upper() + word[1:]
        parts.append(word)
    return "k" + "".join(parts)


def text(value):
    """A C++ string literal."""
    out = []
    for byte in value.encode("utf-8"):
        c = chr(byte)
        if c in '"\\':
            out.append("\\" + c)
        elif 32 <= byte < 127 and c != "?":
            out.append(c)
        else:
            out.append("\\%03o" % byte)
    return '"' + "".join(out) + '"'
