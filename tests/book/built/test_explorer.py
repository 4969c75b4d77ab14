"""What a reader can touch: from a file and from a server, in both languages, by mouse, by finger, by keys alone."""

import json
import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from aebook.explorer import bundle
from book.editions import EDITIONS
from book.explorer import PARTS
from tools import built

IN_LESSONS = {
    "index": ["draw"],
    "notebooks/6_1_principle": ["map"],
    "notebooks/6_2_dense": ["train", "draw", "turn"],
    "notebooks/6_3_convolutional": ["draw"],
    "notebooks/uses": ["walk"],
}
each_edition = pytest.mark.parametrize("language", EDITIONS)
ANSWERED = "[...document.querySelectorAll('.explorer-verdict strong')].filter(verdict => verdict.textContent).length"
# The rules of the page tests, with the sizes of targets, which axe asks for only when it is told to.
RULES = {"preload": False, "resultTypes": ["violations"],
         "rules": {"label-content-name-mismatch": {"enabled": True}, "target-size": {"enabled": True}}}  # fmt: skip
VIOLATIONS = """options => axe.run(".explorer", options).then(found => found.violations.flatMap(
  fault => fault.nodes.map(node => `${fault.id}: ${node.html.slice(0, 160)}`)))"""
BRIGHT = """canvas => { const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, place) => place % 4 != 3 && value > 100) }"""
STROKES = built.ROOT / "tests" / "explorer" / "strokes.json"
"""For each digit three drawings: strokes of places on a square with a side of 100."""
FOUR = ([(0.3, 0.2), (0.25, 0.5), (0.65, 0.5)], [(0.6, 0.2), (0.58, 0.85)])
NAMES = re.compile(r"MNIST|PCA|BCE|Ada\w+|Adam|Nadam|Delete")


@pytest.fixture
def messages(page):
    """All that the page writes to the console, and what it asks for outside of this machine."""
    found = []
    local = re.compile(r"(http://127\.0\.0\.1|file:|data:|blob:)")
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: local.match(request.url) or found.append(request.url))
    return found


@pytest.fixture
def begin(page, address):
    """Opens a page and waits until all of its parts are there; gives a locator for each part by its name."""

    def open_all(name="explore", base=address, on=page):
        on.goto(f"{base}/{name}.html")
        on.keyboard.press("Tab")
        parts = {}
        for host in on.locator(".explorer[data-part]").all():
            part = host.locator(".explorer-part")
            part.wait_for()
            parts[part.get_attribute("data-part")] = part
        return parts

    return open_all


def draw(page, part, strokes=FOUR, steps=8):
    """Draw with the mouse, which stops `steps` times between two places."""
    part.scroll_into_view_if_needed()
    box = part.locator(".explorer-pad").bounding_box()
    places = [[(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke] for stroke in strokes]
    for first, *others in places:
        page.mouse.move(*first)
        page.mouse.down()
        for place in others:
            page.mouse.move(*place, steps=steps)
        page.mouse.up()


def bright(picture):
    """Whether a picture shows something."""
    return picture.evaluate(BRIGHT)


def press_until(page, focused, key="Tab", most=80):
    """Press a key until the element that has the focus matches a selector."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", focused):
            return
    raise AssertionError(f"{key} does not lead to {focused}")


@pytest.mark.parametrize("where, language", [("file", "en"), ("server", "ko")])
def test_every_part_works_from_a_file_and_from_a_server(where, language, page, address, begin, messages):
    base = address if where == "server" else built.HTML.as_uri()
    parts = begin(f"{EDITIONS[language].folder}explore", base)
    assert list(parts) == list(PARTS)
    draw(page, parts["draw"])
    page.wait_for_function(f"{ANSWERED} == 3")
    parts["train"].locator("button").first.click()
    page.wait_for_function(
        "document.querySelector('.explorer-run[data-run=now]').getAttribute('points').split(' ').length > 2"
    )
    parts["train"].locator("button").nth(1).click()
    page.wait_for_function("document.querySelectorAll('.explorer-train button')[1].disabled")
    assert page.locator(".explorer-fault").count() == 0
    assert messages == []


def test_a_part_comes_when_it_is_nearly_in_sight(page, address):
    loaded = "performance.getEntriesByType('resource').filter(one => one.name.includes('/explorer/6_1_map')).length"
    page.goto(f"{address}/explore.html")
    page.locator(".explorer-part[data-part=draw]").wait_for()
    assert page.evaluate(loaded) == 0 and page.locator(".explorer-part[data-part=map]").count() == 0
    page.locator(".explorer[data-part=map]").scroll_into_view_if_needed()
    page.locator(".explorer-part[data-part=map]").wait_for()
    assert page.evaluate(loaded) == 1


@pytest.mark.parametrize("name", IN_LESSONS)
def test_a_lesson_has_its_parts_and_a_guess_before_each(name, page, begin, messages, soup):
    parts = begin(name)
    assert list(parts) == IN_LESSONS[name] and page.locator(".explorer-fault").count() == 0
    assert messages == []
    for language, guess in {"en": "Guess:", "ko": "예상해 보십시오."}.items():
        hosts = soup(f"{EDITIONS[language].folder}{name}").select(".explorer[data-part]")
        assert [host["data-part"] for host in hosts] == IN_LESSONS[name]
        assert all(guess in host.find_previous_sibling().get_text() for host in hosts)


def test_a_part_in_korean_says_nothing_in_english(page, begin):
    parts = begin("ko/explore")
    draw(page, parts["draw"])
    page.wait_for_function(f"{ANSWERED} == 3")
    for name, part in parts.items():
        texts = part.locator("*").evaluate_all(
            """all => all.flatMap(one => [one.getAttribute("aria-label"), one.getAttribute("aria-roledescription"),
              one.getAttribute("aria-valuetext"),
              ...[...one.childNodes].filter(node => node.nodeType == 3).map(node => node.data)])"""
        )
        texts = [NAMES.sub("", text) for text in texts if text]
        assert len(texts) > 15, name
        assert [text for text in texts if re.search("[A-Za-z]{2}", text)] == [], name


def test_axe_finds_nothing_and_nothing_moves_for_who_wants_no_motion(page, begin):
    page.emulate_media(reduced_motion="reduce")
    parts = begin()
    draw(page, parts["draw"])
    page.wait_for_function(f"{ANSWERED} == 3")
    assert page.evaluate("document.getAnimations().filter(one => one.effect.target.closest('.explorer')).length") == 0
    page.evaluate(AXE_SCRIPT)
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, width
        for scheme in built.SCHEMES if width != 375 else ():
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("scheme => document.documentElement.dataset.theme == scheme", arg=scheme)
            assert page.evaluate(VIOLATIONS, RULES) == [], (width, scheme)


def test_a_stored_drawing_of_each_digit_counts_as_seen_before(page, begin):
    """On the cover, which has one model; tests/explorer/test_drawing.py has more drawings and more models."""
    draw_part = begin("index")["draw"]
    said = draw_part.locator(".explorer-verdict strong")
    for digit, drawings in json.loads(STROKES.read_text(encoding="utf-8")).items():
        strokes = [[(x / 100, y / 100) for x, y in stroke] for stroke in drawings[int(digit) % 3]]
        draw(page, draw_part, strokes, steps=1)
        page.wait_for_function(f"{ANSWERED} == 1")
        assert said.inner_text() == "seen before", digit
        page.keyboard.press("Delete")
        page.wait_for_function(f"{ANSWERED} == 0")


def test_a_digit_is_drawn_by_keys(page, begin):
    draw_part = begin()["draw"]
    drawn, again = draw_part.locator(".explorer-seen canvas"), draw_part.locator(".explorer-answer > canvas").first
    press_until(page, ".explorer-pad")
    assert not bright(drawn) and page.evaluate(ANSWERED) == 0
    for keys in (" ", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", " "):
        page.keyboard.press(keys)
    page.wait_for_function(f"{ANSWERED} == 3")
    assert bright(drawn) and bright(again)
    page.keyboard.press("ArrowRight")  # the pen is up
    status = draw_part.get_by_role("status")
    page.wait_for_function("said => said.textContent.startsWith('Column')", arg=status.element_handle())
    page.keyboard.press("Backspace")
    page.wait_for_function(f"{ANSWERED} == 0")
    assert not bright(drawn)
    page.wait_for_function("said => said.textContent.startsWith('Nothing')", arg=status.element_handle())


def test_a_test_image_and_the_frame_are_chosen_by_keys(page, begin):
    draw_part = begin()["draw"]
    press_until(page, ".explorer-draw [role=switch]")
    page.keyboard.press("Space")
    assert not draw_part.get_by_role("switch").is_checked()
    press_until(page, ".explorer-draw input[type=radio]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{ANSWERED} == 3")
    assert draw_part.get_by_role("radio", name="digit 1", exact=True).is_checked()


def test_the_frame_moves_what_is_drawn_in_a_corner(page, begin):
    draw_part = begin()["draw"]
    seen = draw_part.locator(".explorer-seen canvas")
    corner = (
        "canvas => canvas.getContext('2d').getImageData(0, 0, 3, 3).data.some((value, n) => n % 4 < 3 && value > 99)"
    )
    draw(page, draw_part, [[(0.05, 0.05), (0.15, 0.15), (0.05, 0.15)]])
    page.wait_for_function(f"{ANSWERED} == 3")
    assert not seen.evaluate(corner)
    draw_part.get_by_role("switch").uncheck()
    page.wait_for_function(f"canvas => ({corner})(canvas)", arg=seen.element_handle())


def test_clearing_can_be_undone(page, begin):
    draw_part = begin()["draw"]
    draw(page, draw_part)
    page.wait_for_function(f"{ANSWERED} == 3")
    before = draw_part.locator(".explorer-verdict").all_inner_texts()
    draw_part.get_by_role("button", name="Clear").click()
    page.wait_for_function(f"{ANSWERED} == 0")
    draw_part.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"{ANSWERED} == 3")
    assert draw_part.locator(".explorer-verdict").all_inner_texts() == before
    draw_part.get_by_role("button", name="Clear").click()
    pad = draw_part.locator(".explorer-pad")
    pad.click()  # a dot
    page.wait_for_function(f"{ANSWERED} == 3")
    assert bright(pad)


def test_numbers_are_turned_by_keys(page, begin):
    part = begin()["turn"]
    picture = part.locator(".explorer-pictures canvas").last
    pixels = "canvas => canvas.getContext('2d').getImageData(0, 0, 28, 28).data.join()"
    first = picture.evaluate(pixels)
    press_until(page, ".explorer-level input")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    press_until(page, ".explorer-turn input[type=range]")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Number 3"
    page.keyboard.press("End")
    page.wait_for_function(f"([canvas, first]) => ({pixels})(canvas) != first", arg=[picture.element_handle(), first])
    press_until(page, ".explorer-turn .explorer-row button")
    page.keyboard.press("Enter")  # to 0
    page.wait_for_function("document.querySelector('.explorer-turn input[type=range]').value == 0")
    part.get_by_role("button", name="As at first").press("Enter")
    page.wait_for_function(f"([canvas, first]) => ({pixels})(canvas) == first", arg=[picture.element_handle(), first])


def test_a_number_is_pulled_with_the_mouse_and_one_undo_takes_it_back(page, begin):
    part = begin()["turn"]
    slider = part.get_by_role("slider")
    part.scroll_into_view_if_needed()
    box = part.locator(".explorer-level").nth(4).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 30, steps=5)  # beyond its top
    page.mouse.up()
    assert slider.get_attribute("aria-label") == "Number 5"
    top = float(slider.get_attribute("max"))
    page.wait_for_function("([slider, top]) => slider.value > 0.98 * top", arg=[slider.element_handle(), top])
    part.get_by_role("button", name="Undo").click()
    page.wait_for_function("([slider, top]) => slider.value < 0.98 * top", arg=[slider.element_handle(), top])
    assert part.get_by_role("button", name="Undo").is_disabled()


def test_the_walk_goes_by_keys(page, begin):
    part = begin()["walk"]
    press_until(page, ".explorer-walk input")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.explorer-stops canvas').hasAttribute('data-here')")
    assert part.get_by_role("slider").get_attribute("aria-valuetext") == "0 %"
    ends = [part.locator(".explorer-way > canvas").nth(way) for way in (0, 1)]
    assert all(bright(picture) for picture in ends)


def test_the_map_goes_by_keys_and_says_where_nobody_lives(page, begin):
    part = begin()["map"]
    press_until(page, ".explorer-map input[type=range]")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    for corner in ("Home", "End"):
        page.keyboard.press(corner)
        if "No digit lives here" in (said := part.locator(".explorer-here").inner_text()):
            break
    page.wait_for_function("document.querySelector('.explorer-here').textContent.startsWith('No digit lives here')")
    assert bright(part.locator(".explorer-place canvas")), said
    press_until(page, ".explorer-goto input[type=radio]")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('.explorer-here').textContent.startsWith('The nearest')")
    assert part.locator("li").count() == 10  # the classes, for who does not see the plane


def test_two_trainings_are_compared_by_keys(page, begin):
    part = begin()["train"]
    stopped = "document.querySelectorAll('.explorer-train button')[1].disabled"
    press_until(page, ".explorer-train select")
    for optimizer in ("Ad", "N"):
        page.keyboard.type(optimizer)
        press_until(page, ".explorer-train button")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "document.querySelector('.explorer-run[data-run=now]').getAttribute('points').includes(' ')"
        )
        press_until(page, ".explorer-train button")  # Start cannot be pressed now
        page.keyboard.press("Enter")
        page.wait_for_function(stopped)
        press_until(page, ".explorer-train select:first-of-type", "Shift+Tab")
        for _ in range(5):
            page.keyboard.press("Shift+Tab")
    assert part.locator(".explorer-runs li").count() == 2
    assert part.locator(".explorer-rows canvas").count() == 30


@pytest.fixture
def phone(chromium, address):
    """A page on a phone, with fingers."""
    context = chromium.new_context(viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)
    page = context.new_page()
    yield page
    context.close()


def drag_up(page, x, y, distance=200, steps=10):
    """A finger goes up: a page that may scroll does."""
    session = page.context.new_cdp_session(page)
    places = [y - distance * step / steps for step in range(steps + 1)]
    for kind, place in [("Start", places[0]), *(("Move", place) for place in places[1:])]:
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": place}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_draws_in_the_square_and_scrolls_beside_it(phone, begin):
    part = begin(on=phone)["draw"]
    pad = part.locator(".explorer-pad")
    pad.evaluate("pad => scrollTo({top: pad.getBoundingClientRect().top + scrollY - 300, behavior: 'instant'})")
    box, top = pad.bounding_box(), phone.evaluate("scrollY")
    drag_up(phone, box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9, box["height"] * 0.8)
    phone.wait_for_function(f"{ANSWERED} == 3")
    assert phone.evaluate("scrollY") == top
    beside = box["x"] + box["width"] + 30
    assert beside < 375 - 16
    drag_up(phone, beside, box["y"] + box["height"] - 5)
    phone.wait_for_function("top => scrollY > top", arg=top)


def damage(text):
    """The text of a pack with one letter of its weights changed."""
    start = re.search(r'"weights": ?"', text).end() + 20
    return text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :]


@pytest.mark.parametrize("how", [damage, lambda text: text[: len(text) // 2]], ids=["one letter", "half"])
def test_a_damaged_model_is_a_sentence_and_the_others_answer(how, page, begin):
    name = "6_3_convolutional"
    text = (built.HTML / "_static" / "explorer" / f"{name}.js").read_text(encoding="utf-8")
    page.route(f"**/{name}.js", lambda route: route.fulfill(body=how(text), content_type="text/javascript"))
    draw_part = begin()["draw"]
    assert "damaged" in draw_part.locator(".explorer-fault").inner_text()
    draw(page, draw_part)
    page.wait_for_function(f"{ANSWERED} == 2")


def test_a_browser_without_workers_has_a_sentence_for_the_training_and_all_else(page, begin):
    page.add_init_script("delete globalThis.Worker")
    parts = begin()
    assert "starts no workers" in parts["train"].locator(".explorer-fault").inner_text()
    assert page.locator(".explorer-fault").count() == 1


def test_without_its_script_a_part_is_a_sentence(page, address):
    page.route("**/explorer.js*", lambda route: route.fulfill(status=404))
    page.goto(f"{address}/explore.html")
    page.evaluate("document.getAnimations().forEach(one => one.finish())")  # it waits for some seconds
    page.wait_for_function("getComputedStyle(document.querySelector('.explorer-wait')).opacity == 1")


@each_edition
def test_without_javascript_there_is_a_still_figure(language, chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{EDITIONS[language].folder}explore.html")
    stills = page.locator(".explorer noscript img")
    assert stills.count() == len(PARTS)
    for still in stills.all():
        assert len(still.get_attribute("alt").split()) > 10
        still.scroll_into_view_if_needed()
        assert still.is_visible() and still.bounding_box()["width"] > 200
    assert not page.locator(".explorer-wait").first.is_visible()
    context.close()


def test_the_module_shows_a_model_as_a_widget_does(page, address):
    """As anywidget calls it: the packs are values of the model, and what a reader draws comes back in it."""
    page.goto(f"{address}/index.html")
    page.set_content("<div id=here></div>")
    for name in ("6_2_dense", "test"):
        page.add_script_tag(path=built.HTML / "_static" / "explorer" / f"{name}.js")
    page.evaluate(
        """async ([text, words]) => {
          const {default: widget} = await import(URL.createObjectURL(new Blob([text], {type: "text/javascript"})));
          const values = {part: ["draw", "turn"], models: ["6_2_dense"], packs: aebookExplorer.packed, words};
          globalThis.values = values;
          widget.render({el: here, model: {get: name => values[name], set: (name, value) => { values[name] = value },
            on() {}, off() {}, save_changes() { values.saved = true }}});
        }""",
        [bundle.module(), bundle.words()],
    )
    page.add_style_tag(content=bundle.style())
    part = page.locator(".explorer-part[data-part=draw]")
    part.wait_for()
    draw(page, part)
    page.wait_for_function("values.saved && values.drawing?.length == 784 && Math.max(...values.drawing) == 1")
    assert page.locator(".explorer-part").count() == 2 and page.locator(".explorer-fault").count() == 0
