"""The shell in a real browser."""

import pytest


@pytest.mark.browser
async def test_signed_in_people_find_the_palette(browser_page, doctor, axe) -> None:
    page = await browser_page(doctor, "/nowhere")
    assert await page.locator("h1").inner_text() == "There is no such thing, or it is not for you to see."
    await page.keyboard.press("Control+k")
    assert await page.locator("#palette").is_visible()
    assert await axe(page) == []
