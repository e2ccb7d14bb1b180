"""The status page in a real browser: page.py URL LOCKED_URL [FOLDER]

The URLs are of a running `serve_linear`; screenshots go to FOLDER if one is given. Ends in an error for the first thing that is wrong.
"""

import json
import os
import sys
import urllib.parse
import urllib.request

from playwright.sync_api import expect, sync_playwright
from prometheus_client.parser import text_string_to_metric_families

URL, LOCKED, FOLDER = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None
SECRET = "open sesame"
HOSTILE = "<img src=x onerror=alert(1)>"

# What a screen reader needs and what the eye needs; each line of the result is a fault.
AUDIT = """() => {
  const faults = [];
  const seen = element => element.checkVisibility() && element.getClientRects().length > 0;
  const all = selector => [...document.querySelectorAll(selector)].filter(seen);
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two elements are #${id}`);
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title) faults.push("no title");
  for (const landmark of ["header", "main", "footer", "nav[aria-label]"])
    if (document.querySelectorAll(landmark).length !== 1) faults.push(`not one ${landmark}`);
  const levels = all("h1, h2, h3, h4").map(heading => +heading.tagName[1]);
  if (levels.filter(level => level === 1).length !== 1) faults.push("not one h1");
  levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) faults.push(`h${level} follows h${levels[i - 1]}`); });
  for (const control of all("input, select, textarea")) if (!control.labels.length) faults.push(`#${control.id} has no label`);
  for (const control of all("button, a, summary")) if (!control.textContent.trim()) faults.push("a control without a name");
  for (const image of document.querySelectorAll("svg")) if (image.getAttribute("role") !== "img" || (seen(image) && !image.getAttribute("aria-label"))) faults.push("a chart without a name");
  for (const attribute of ["aria-labelledby", "aria-describedby"])
    for (const element of document.querySelectorAll(`[${attribute}]`))
      for (const id of element.getAttribute(attribute).split(" ")) if (!document.getElementById(id)) faults.push(`${attribute} names #${id}, which is not there`);
  if (!document.querySelector("[role=status]")) faults.push("nothing tells of changes");
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`wider than the window: ${document.documentElement.scrollWidth} of ${innerWidth}`);

  // Contrast as WCAG 2 computes it.
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => numbers(color).slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = element => { for (let at = element; at; at = at.parentElement) { const color = getComputedStyle(at).backgroundColor; if ((numbers(color)[3] ?? 1) > 0) return color; } return "rgb(255,255,255)"; };
  for (const element of all("body *")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || element.closest("option, [disabled]")) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(paper(element))].sort((a, b) => b - a);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)} of “${element.textContent.trim().slice(0, 30)}”`);
  }
  for (const control of all("button, select, textarea, input"))
    if (control.getBoundingClientRect().height < 24) faults.push(`#${control.id} is too small to hit`);
  return faults;
}"""


def infer(model, data):
    body = json.dumps({"inputs": [{"name": "x", "shape": [len(data), 3], "datatype": "FP32", "data": data}]})
    path = f"{URL}/v2/models/{urllib.parse.quote(model, safe='')}/infer"
    urllib.request.urlopen(urllib.request.Request(path, body.encode(), {"Content-Type": "application/json"})).read()


def audit(page, where):
    faults = page.evaluate(AUDIT)
    assert not faults, f"{where}: " + "; ".join(faults)


def shoot(page, name):
    if FOLDER:
        os.makedirs(FOLDER, exist_ok=True)
        page.screenshot(path=f"{FOLDER}/{name}.png")


def watched(browser, url=URL, state="ready", **options):
    """A page, and what went wrong on it."""
    page = browser.new_page(**options)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append("a dialog: " + dialog.message), dialog.dismiss()))
    page.on("request", lambda request: None if request.url.startswith((url, "data:")) else wrong.append("asks " + request.url))
    page.goto(url)
    expect(page.locator("#state")).to_have_text(state)
    return page, wrong


def look(browser):
    for scheme in ("light", "dark"):
        page, wrong = watched(browser, color_scheme=scheme, viewport={"width": 1100, "height": 900})
        for rows in (1, 2, 2, 4, 4, 4, 8, 8, 8, 2, 1, 1):
            for _ in range(20):
                infer("blend", [[0.1, 0.2, 0.3]] * rows)
                infer("linear", [[0.1, 0.2, 0.3]] * rows)
            page.wait_for_timeout(700)
        linear = page.get_by_role("group", name="linear, version 1")
        expect(linear.get_by_text("ready", exact=True)).to_be_visible()
        expect(linear.locator("dd").first).not_to_have_text("0 /s")
        expect(page.get_by_role("heading", name="red wine Ü")).to_be_visible()
        first = page.get_by_role("group", name="blend, version 1")
        expect(first).to_contain_text("stable")
        expect(first).to_contain_text("takes 90 % of requests")
        shadow = page.get_by_role("group", name="blend, version 3")
        expect(shadow).to_contain_text("answers copies of requests")
        audit(page, scheme)
        shoot(page, scheme)
        assert not wrong, wrong
        page.close()


def ask(browser):
    page, wrong = watched(browser, viewport={"width": 320, "height": 700})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is not to be seen"
    page.get_by_label("Model and version").select_option(label="linear, version 1")
    sample = page.get_by_label("x FP32", exact=False)
    assert json.loads(sample.input_value()) == [[0.5, 0.25, 1]], sample.input_value()
    sample.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    answer = page.get_by_role("status", name="Answer")
    expect(answer).to_contain_text("200 OK")
    expect(answer).to_contain_text("30.55")
    sample.fill("[[0, 0, 1], [1, 0, 0]]")
    page.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("2 × 1")
    page.get_by_text("The same request by curl").click()
    expect(page.locator("#curl-text")).to_contain_text("/v2/models/linear/versions/1/infer")
    audit(page, "320 px")
    shoot(page, "narrow")
    assert not wrong, wrong

    sample.fill("[[0, 0")
    page.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("is no JSON")
    assert sample.get_attribute("aria-invalid") == "true"
    sample.fill("[[1, 2]]")
    page.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("400")
    expect(answer).to_contain_text("must be of shape")
    # The browser itself notes the 400 that was asked for.
    assert all("400" in text for text in wrong), wrong

    types = page.locator("#target option").all_text_contents()
    for option in types:
        if "FP16" in option or "BF16" in option:  # JSON does not carry them
            continue
        page.get_by_label("Model and version").select_option(label=option)
        page.get_by_role("button", name="Send").click()
        expect(answer).to_contain_text("200 OK")
    page.close()


def hostile(browser):
    page = browser.new_page()
    wrong = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))

    def renamed(route):
        status = route.fetch().json()
        status["name"] = status["models"][0]["name"] = HOSTILE
        version = status["models"][0]["versions"][0]
        version["version"] = version["platform"] = HOSTILE
        version["labels"] = [HOSTILE]
        version["inputs"][0]["name"] = HOSTILE
        route.fulfill(json=status)

    page.route("**/status", renamed)
    page.goto(URL)
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.get_by_role("heading", level=2, name=HOSTILE)).to_be_visible()
    page.wait_for_timeout(300)
    assert page.locator("img").count() == 0
    assert not wrong, wrong
    page.close()


def lost(browser):
    page, _ = watched(browser)
    page.route("**/status", lambda route: route.abort())
    expect(page.locator("#state")).to_have_text("no answer from the server", timeout=10000)
    page.unroute("**/status")
    expect(page.locator("#state")).to_have_text("ready", timeout=10000)
    page.close()


def locked(browser):
    page, wrong = watched(browser, LOCKED, "this server wants a key", viewport={"width": 700, "height": 600})
    field = page.get_by_label("Key")
    expect(field).to_be_focused()
    expect(page.locator("article")).to_have_count(0)
    expect(page.locator("#ask")).to_be_hidden()
    audit(page, "locked")
    shoot(page, "locked")

    field.fill("open barley")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("this key opens nothing here")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert page.evaluate("sessionStorage.getItem('key')") is None
    audit(page, "a wrong key")

    field.fill(SECRET)
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("ready")
    expect(field).to_be_hidden()
    expect(page.get_by_role("heading", name="linear", exact=True)).to_be_visible()
    # Links would be answered 401.
    expect(page.locator("#elsewhere")).to_be_hidden()
    send = page.get_by_role("button", name="Send")
    answer = page.get_by_role("status", name="Answer")
    page.get_by_label("Model and version").select_option(label="linear, version 1")
    send.click()
    expect(answer).to_contain_text("200 OK")
    expect(answer).to_contain_text("30.55")
    curl = page.locator("#curl-text")
    expect(curl).to_contain_text("Bearer $KEY")
    expect(curl).not_to_contain_text(SECRET)
    audit(page, "unlocked")
    shoot(page, "unlocked")

    page.reload()
    expect(page.locator("#state")).to_have_text("ready")
    expect(field).to_be_hidden()
    page.evaluate("key = null")
    send.click()
    expect(answer).to_contain_text("401")
    expect(answer).to_contain_text("key")
    expect(page.locator("#state")).to_have_text("this server wants a key", timeout=10000)
    expect(field).to_be_visible()
    # The browser itself notes each 401 that was meant.
    assert all("401" in text for text in wrong), wrong
    page.close()

    stranger, _ = watched(browser, LOCKED, "this server wants a key")
    stranger.close()


def metrics():
    text = urllib.request.urlopen(f"{URL}/metrics").read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    answered = [sample for sample in families["maas_requests"].samples if sample.labels["outcome"] == "ok"]
    assert {"linear", "blend"} <= {sample.labels["model"] for sample in answered}, answered
    assert families["maas_request_duration_seconds"].type == "histogram"
    assert families["process_resident_memory_bytes"].samples[0].value > 0
    untyped = [family.name for family in families.values() if family.type in ("unknown", "untyped")]
    assert not untyped, untyped


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
    for part in (look, ask, hostile, lost, locked):
        part(browser)
    browser.close()
metrics()
print("page and metrics are fine")
