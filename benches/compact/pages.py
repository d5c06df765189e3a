"""Writes pages of an invented newspaper, each in successive edits, the same ones for the same seed.

    python3 pages.py FOLDER [PAGES] [VERSIONS] [SEED]

Makes FOLDER/v01/page-001.html and so on: about 160 KB each, of six sites whose templates differ. From one version to the next
the story changes in one to three places, links to other stories move, and every token that a server makes for each answer
(nonces of its content policy, of its forms, of its counters) is another.
"""

import pathlib
import random
import sys

SITES = ["harbour-gazette", "ferry-post", "gull-observer", "tide-courier", "pier-times", "lantern-echo"]
PAGE_BYTES = 160_000
SYLLABLES = "ba be bi bo bra da de di dor el en er fa fen gal gre ha hin il ka kel la len lo ma mer mi na nor o pa per ra ren ri sa sel so ta tel ti tor u va ven wa wen ya".split()


def words_of(rng, count):
    """A vocabulary in which few words are frequent, as in any language."""
    words = {"".join(rng.choices(SYLLABLES, k=rng.choice([1, 2, 2, 3, 3, 4]))) for _ in range(count)}
    words = sorted(words)
    rng.shuffle(words)
    return words, [1 / (rank + 3) for rank in range(len(words))]


def sentence(rng, vocabulary):
    words = rng.choices(*vocabulary[:1], weights=vocabulary[1], k=rng.randint(6, 22))
    return words[0].capitalize() + " " + " ".join(words[1:]) + rng.choice([".", ".", ".", "?"])


def paragraph(rng, vocabulary):
    return " ".join(sentence(rng, vocabulary) for _ in range(rng.randint(2, 5)))


def token(rng, digits=32):
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def template(site, vocabulary):
    """What all pages of a site share: styles, scripts, navigation, legal text."""
    rng = random.Random(f"template {site}")
    css = "\n".join(
        f".{site[:2]}-{'-'.join(rng.choices(vocabulary[0][:300], k=2))}{{margin:{rng.randint(0, 40)}px {rng.randint(0, 40)}px;"
        f"color:#{token(rng, 6)};font:{rng.randint(10, 40)}px/{rng.randint(1, 3)} serif}}"
        for _ in range(330)
    )
    scripts = "\n".join(
        f"function {rng.choice(vocabulary[0])}_{n}(a,b){{var c=document.querySelector('.{rng.choice(vocabulary[0])}');"
        f"if(c&&a>{rng.randint(1, 999)}){{c.dataset.{rng.choice(vocabulary[0])}=b||'{token(rng, 8)}';return c.offsetTop*{rng.randint(2, 99)}}}}}"
        for n in range(180)
    )
    nav = "\n".join(
        f'<li class="nav-item nav-item--{n % 7}"><a class="nav-link" href="/{w}/" data-track="nav.{w}.{n}">{w.capitalize()}</a></li>'
        for n, w in enumerate(rng.choices(vocabulary[0], k=120))
    )
    legal = "\n".join(f"<p class=legal>{paragraph(rng, vocabulary)}</p>" for _ in range(6))
    return css, scripts, nav, legal


class Page:
    def __init__(self, number, seed, vocabulary):
        self.rng = random.Random(f"{seed} page {number}")
        self.vocabulary = vocabulary
        self.number = number
        self.site = SITES[number % len(SITES)]
        self.headline = self.words(7)
        self.author = f"{self.words(1)} {self.words(1)}"
        self.paragraphs = [paragraph(self.rng, vocabulary) for _ in range(22)]
        self.teasers = [self.teaser() for _ in range(60)]
        self.comments = []

    def words(self, count):
        return " ".join(word.capitalize() for word in self.rng.choices(self.vocabulary[0], k=count))

    def teaser(self):
        slug = "-".join(self.rng.choices(self.vocabulary[0], k=5))
        return (
            f'<article class="teaser teaser--river"><a class="teaser__link" href="/{slug}-{self.rng.randint(10000, 99999)}.html">'
            f'<img class="teaser__image" loading="lazy" alt="" srcset="/img/{token(self.rng, 12)}-320.jpg 320w, /img/{slug}-640.jpg 640w">'
            f'<h3 class="teaser__title">{self.words(6)}</h3><p class="teaser__text">{sentence(self.rng, self.vocabulary)}</p></a></article>'
        )

    def edit(self):
        for _ in range(self.rng.randint(1, 3)):
            at = self.rng.randrange(len(self.paragraphs))
            match self.rng.choice(["sentence", "sentence", "paragraph", "headline"]):
                case "sentence":
                    sentences = self.paragraphs[at].split(". ")
                    sentences[self.rng.randrange(len(sentences))] = sentence(self.rng, self.vocabulary).rstrip(".?")
                    self.paragraphs[at] = ". ".join(sentences)
                case "paragraph":
                    self.paragraphs.insert(at, paragraph(self.rng, self.vocabulary))
                case "headline":
                    self.headline = self.words(7)
        for _ in range(2):
            self.teasers.insert(0, self.teaser())
            self.teasers.pop()

    def html(self, version):
        css, scripts, nav, legal = template(self.site, self.vocabulary)
        # Each answer's own tokens.
        rng = random.Random(f"{self.site} {self.number} {version} {self.rng.random()}")
        nonce, form = token(rng), token(rng, 48)
        slots = "\n".join(
            f'<div class="slot slot--{n}" data-slot="{self.site}/{n}" data-request="{token(rng)}"></div>' for n in range(24)
        )
        story = "\n".join(
            f'<p class="story__paragraph" data-index="{n}">{text}</p>' for n, text in enumerate(self.paragraphs)
        )
        page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{self.headline} - {self.site}</title>
<link rel="canonical" href="https://{self.site}.example/story/{self.number}.html">
<meta property="og:title" content="{self.headline}"><meta name="author" content="{self.author}">
<meta property="article:published_time" content="2026-01-{1 + self.number % 28:02}T08:00:00Z">
<meta property="article:modified_time" content="2026-02-{version:02}T09:{self.number % 60:02}:00Z"><meta name="csrf" content="{form}">
<style nonce="{nonce}">{css}</style><script nonce="{nonce}">{scripts}</script></head>
<body data-build="{token(random.Random(self.site), 12)}"><nav><ul>{nav}</ul></nav><main><article class="story">
<h1>{self.headline}</h1><p class="byline">By {self.author}</p>{story}</article>{slots}
<section class="river"><h2>More stories</h2>{chr(10).join(self.teasers)}</section></main>
<footer>{legal}<form><input type="hidden" name="token" value="{form}"></form></footer>
<script nonce="{nonce}">window.state={{"request":"{token(rng)}","at":{1767225600 + version * 86400 + self.number},"views":{rng.randint(1000, 99999)}}}</script>
"""
        # Filled up with what a page of this site carries anyway, to the same length for all.
        filling = random.Random(f"filling {self.site} {self.number}")
        while len(page) < PAGE_BYTES - 20:
            words = " ".join(filling.choices(self.vocabulary[0][:800], k=6))
            page += f'<script type="application/json" data-widget="{filling.randint(0, 9999)}">{{"title":"{words}"}}</script>\n'
        return page + "</body></html>\n"


def main():
    folder = pathlib.Path(sys.argv[1])
    pages, versions, seed = (int(word) for word in (sys.argv[2:] + ["60", "10", "1"][len(sys.argv) - 2 :]))
    vocabulary = words_of(random.Random(f"{seed} words"), 6000)
    for number in range(1, pages + 1):
        page = Page(number, seed, vocabulary)
        for version in range(1, versions + 1):
            if version > 1:
                page.edit()
            path = folder / f"v{version:02}" / f"page-{number:03}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page.html(version))


main()
