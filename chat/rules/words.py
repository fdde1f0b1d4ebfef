"""The curated list: which words are refused, masked or flagged, and the harmless ones that contain them.

How a text is searched for them is in `language.py`. A word in the list is written in plain letters; see docs/rules/chat.md#language.
"""

from typing import Final

# Refused: slurs, and wishes that somebody die. Matched wherever a word begins.
BLOCK: Final = (
    "nigger", "nigga", "faggot", "kike", "wetback", "gook", "towelhead", "raghead", "beaner", "tranny", "subhuman",
    "kys", "killyourself", "killurself", "killyoself", "neckyourself", "hangyourself",
)  # fmt: skip

# Delivered with stars in their place: the strong swear words and insults.
MASK: Final = (
    "fuck", "fuk", "fuq", "fck", "fvck", "fcuk", "phuck", "phuk", "kcuf", "motherfuck", "mofo", "wtfuck", "clusterfuck", "mindfuck",
    "shit", "shyt", "tihs", "bullshit", "horseshit", "dipshit", "batshit", "apeshit", "dogshit", "shithead", "jackshit",
    "bitch", "biatch", "bytch", "sonofabitch", "cunt", "wanke", "whore", "slut", "bastard", "prick",
    "asshole", "azzhole", "arsehole", "asshat", "dumbass", "jackass", "asswipe",
    "dickhead", "cocksuck", "pussy", "bollocks", "retarded", "retards",
)  # fmt: skip

# Masked only as whole words, since longer words that are harmless begin with them.
MASK_WHOLE: Final = (
    "ass", "azz", "arse", "cock", "dick", "tits", "cum", "fag", "fags", "paki", "spic", "coon", "fuks", "wtf", "stfu", "milf", "twat",
    "twats", "wank", "wanking", "piss", "pissed", "pissing",
)  # fmt: skip

# Delivered, and put before a moderator: words that are as often harmless.
FLAG_WHOLE: Final = (
    "rape", "rapist", "nazi", "hitler", "suicide", "pedo", "pedophile", "terrorist", "chink", "heil", "retard",
    "doxx", "doxxed", "swat", "swatted",
)  # fmt: skip

# What begins like one of the above and is harmless; also names of places and people.
HARMLESS: Final = (
    "shitake", "shiitake", "shitakes", "shittim", "wankel", "pricked", "pricking", "prickly", "prickle", "pissarro",
    "pussycat", "pussy willow", "retardant", "retardants", "retardation", "niggard", "niggardly", "snigger", "sniggers", "sniggered",
    "fukuoka", "fukushima", "fukuda", "fukui",
    "fukuyama", "beanery", "tranny fluid", "shitara", "shitai", "shitamachi", "pissaladiere",
    "moby dick", "dick cheney", "dick van dyke", "philip k dick", "cock and bull", "cum laude", "cum dividend", "cum rights",
    "weather cock", "stop cock", "dick tracy", "dick turpin", "dick clark", "dick fosbury", "rape oil", "rape seed",
    "shitterton", "bitchfield", "fukagawa", "wank mountain", "fukuro", "fukurou", "fukusuke", "kikeriki", "phuket",
)  # fmt: skip
