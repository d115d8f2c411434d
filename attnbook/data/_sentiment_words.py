"""Words and templates of attnbook.data.sentiment, whose card describes them."""

ASPECTS = """room food staff breakfast view music location service bathroom
kitchen garden pool menu lobby bar terrace library sauna restaurant reception"""
SLOTS = {
    "who": "we|i|my brother and i|our guests|the two of us|my aunt",
    "day": "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    "month": "january|march|april|june|july|august|september|october|december",
    "number": "two|three|four|five|six|seven|eight|nine|ten|twelve",
    "floor": "ground|first|second|third|fourth|top",
    "dish": "soup|bread|fish|rice|salad|cake|noodles|eggs",
    "drink": "water|tea|coffee|juice|lemonade",
    "ride": "train|bus|tram|car|taxi|ferry|bicycle",
    "town": "vienna|oslo|lima|cairo|kyoto|boston|dublin|quito",
    "colour": "red|blue|green|grey|white|black|yellow|brown",
    "not": "not|never|hardly|far from|by no means",
    "very": "very|really|quite|rather|truly|so",
}
FILLER = """{who} arrived on a {day} in {month}
{who} had {dish} and {drink} at {number}
{who} stayed on the {floor} floor
{who} asked about the {aspect} at the desk
the {ride} from {town} takes {number} hours
there is a {colour} sign for the {aspect} on the {floor} floor
a {colour} {ride} stopped in front of the house
{who} read about the {aspect} on page {number}
there is a {colour} door next to the stairs
{who} went to {town} by {ride} the next {day}
the house was painted {colour} in {month}
{who} paid for {number} nights and left on {day}
the {aspect} is shown on a {colour} card
{who} took {number} pictures of the {aspect} before {dish} and {drink}
somebody from {town} mentioned the {aspect}"""
OPINIONS = (  # pairs: negated, affirmed
    (
        "the {aspect} was {not} {adjective}",
        "the {aspect} was {very} {adjective}",
    ),
    ("the {aspect} is {not} {adjective}", "the {aspect} is {adjective}"),
    ("{who} never {verb} the {aspect}", "{who} {verb} the {aspect}"),
)
GOOD = """good great excellent wonderful lovely superb charming delightful
brilliant fantastic impressive perfect splendid pleasant"""
BAD = """bad awful terrible horrible poor dreadful boring disappointing
annoying mediocre dull miserable shoddy unpleasant"""
LIKE = "loved enjoyed liked admired"
DISLIKE = "hated disliked despised resented"
NEGATORS = "not never hardly far from by no means"

CHINESE_ASPECTS = "房间 早餐 服务 位置 花园 泳池 餐厅 装修"
CHINESE_SLOTS = {
    "who": "我|我们",
    "day": "星期一|星期二|星期三|星期五|星期六|星期天",
    "number": "两|三|四|五|六|七|八",
    "ride": "火车|汽车|地铁|出租车",
    "not": "并 不|不 算",
    "very": "很|非常|真",
}
CHINESE_FILLER = """{who} 是 {day} 到 的
{who} 住 了 {number} 晚
{who} 是 坐 {ride} 来 的
从 车站 走 过来 要 {number} 分钟
{who} 向 前台 问起 过 {aspect}
网上 有 {aspect} 的 照片
{who} {day} 坐 {ride} 离开
{aspect} 的 照片 一共 有 {number} 张"""
CHINESE_OPINIONS = (
    ("{aspect} {not} {adjective}", "{aspect} {very} {adjective}"),
    ("{who} 不 {verb} 这里 的 {aspect}", "{who} {verb} 这里 的 {aspect}"),
    ("{who} 并 不 {verb} 这里 的 {aspect}", "{who} 很 {verb} 这里 的 {aspect}"),
)
CHINESE_GOOD, CHINESE_BAD = "好 理想 出色 令人满意", "差 糟糕 差劲 令人失望"
CHINESE_LIKE, CHINESE_DISLIKE = "喜欢 喜爱", "讨厌 厌恶"
CHINESE_NEGATORS = "并 不 算"
