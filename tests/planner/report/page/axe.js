// Opens a page in Chromium: axe-core's findings, console errors, overflow on a phone, folds opened by keyboard.
const puppeteer = require("puppeteer-core");
const [, , url, scheme, chromium] = process.argv;

(async () => {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("requestfailed", (request) => errors.push(request.url()));
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(url);
  let opened = 0;
  const folds = await page.$$("summary");
  for (const fold of folds) {
    await fold.focus();
    await page.keyboard.press("Enter");
    opened += await fold.evaluate((element) => (element.parentElement.open ? 1 : 0));
  }
  await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
  const found = await page.evaluate(() => axe.run());
  await page.setViewport({ width: 390, height: 844 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  const violations = found.violations.map((v) => [v.id, v.impact, v.nodes.slice(0, 3).map((n) => n.html)]);
  console.log(JSON.stringify({ violations, errors, overflow: Math.max(0, overflow), opened, details: folds.length }));
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
