"""Invented but plausible names of schools, in Chinese and English.

Nothing here is taken from a real list: names are put together from common words, telephone numbers have an area code that
does not exist (`000`).
"""

from random import Random

VILLAGES: dict[str, str] = {
    "李家庄": "Lijiazhuang",
    "王村": "Wangcun",
    "南关": "Nanguan",
    "河东": "Hedong",
    "柳湾": "Liuwan",
    "上庄": "Shangzhuang",
    "下庄": "Xiazhuang",
    "石沟": "Shigou",
    "杨家沟": "Yangjiagou",
    "西坪": "Xiping",
    "东峪": "Dongyu",
    "马家湾": "Majiawan",
    "白沙": "Baisha",
    "古城": "Gucheng",
    "龙泉": "Longquan",
    "双塔": "Shuangta",
    "张家岭": "Zhangjialing",
    "北坡": "Beipo",
    "桥头": "Qiaotou",
    "官道": "Guandao",
    "泉上": "Quanshang",
    "岭底": "Lingdi",
    "庙前": "Miaoqian",
    "槐树": "Huaishu",
    "郭村": "Guocun",
    "温泉": "Wenquan",
    "红崖": "Hongya",
    "高堡": "Gaobao",
    "梁家坪": "Liangjiaping",
    "后河": "Houhe",
}
"""Parts of names of country schools and teaching points, with their pinyin."""

TOWN_WORDS: dict[str, str] = {
    "实验": "Experimental",
    "育才": "Yucai",
    "新建": "Xinjian",
    "城关": "Chengguan",
    "东关": "Dongguan",
    "西关": "Xiguan",
    "北街": "Beijie",
    "文昌": "Wenchang",
    "明德": "Mingde",
    "晨光": "Chenguang",
    "希望": "Hope",
    "启明": "Qiming",
}
"""Parts of names of schools in town."""

COLLEGES = {
    "师范学院": "Normal College",
    "职业技术学院": "Vocational and Technical College",
    "工程学院": "College of Engineering",
    "医学高等专科学校": "Medical College",
}
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗郑梁宋郝贾段武任田侯"
_ORDINALS = "一二三四五六七八九十"

_BY_NUMBER = {
    "senior": ("第{zh}中学", "No. {en} Senior High School"),
    "vocational": ("第{zh}职业中学", "No. {en} Vocational School"),
    "special": ("第{zh}特殊教育学校", "No. {en} Special Education School"),
    "adult": ("第{zh}成人教育中心", "No. {en} Adult Education Centre"),
    "bureau": ("教育局第{zh}中心校", "Education Bureau, No. {en} Central Office"),
}
_BY_WORD = {
    "twelve_year": ("学校", "School"),
    "junior": ("初级中学", "Junior High School"),
    "primary": ("小学", "Primary School"),
    "kindergarten": ("幼儿园", "Kindergarten"),
}
_BY_VILLAGE = {
    "nine_year": ("九年一贯制学校", "Nine-year School"),
    "teaching_point": ("教学点", "Teaching Point"),
}
_ALONE = {"bureau": ("教育局", "Education Bureau"), "vocational": ("职业技术学校", "Vocational School")}
_ALONE["special"] = ("特殊教育学校", "Special Education School")


def person(rng: Random) -> str:
    """A contact: a surname and 老师, as schools list them."""
    return f"{rng.choice(SURNAMES)}老师"


def phone(number: int) -> str:
    """A telephone number that cannot exist: area code 000 and a running number."""
    return f"000-{5560000 + number:07d}"


def school_name(prefix: tuple[str, str], level: str, number: int, rng: Random, taken: set[str]) -> tuple[str, str]:
    """A Chinese name that nobody in `taken` has (it is added there) and its English one.

    prefix: the place in both. number: counts schools of this level in the county from 0. ValueError when names run out.
    """
    for attempt in range(200):
        chinese, english = _tail(level, number + attempt, rng)
        if prefix[0] + chinese not in taken:
            taken.add(prefix[0] + chinese)
            return prefix[0] + chinese, f"{prefix[1]} {english}"
    raise ValueError(f"no free name left for {level} in {prefix[0]}")


def _tail(level: str, number: int, rng: Random) -> tuple[str, str]:
    village, pinyin = rng.choice(list(VILLAGES.items()))
    word, english = rng.choice(list(TOWN_WORDS.items()))
    if level == "higher":
        kind, kind_english = rng.choice(list(COLLEGES.items()))
        return word + kind, f"{english} {kind_english}"
    if level in _ALONE and number == 0:
        return _ALONE[level]
    if level in _BY_NUMBER:
        chinese, pattern = _BY_NUMBER[level]
        return chinese.format(zh=_ORDINALS[number % 10]), pattern.format(en=number + 1)
    if level in _BY_VILLAGE or number % 2:
        chinese, kind = {**_BY_VILLAGE, **_BY_WORD}[level]
        return village + chinese, f"{pinyin} {kind}"
    chinese, kind = _BY_WORD[level]
    return word + chinese, f"{english} {kind}"
