// A person with a browser: logs in, looks at a plan while it is made, then at the finished one; axe-core on the way.
const puppeteer = require("puppeteer-core");
const [, , url, token, chromium, shots] = process.argv;

(async () => {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const errors = [], violations = {}, seen = {};
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  const check = async (name) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run());
    violations[name] = found.violations.map((v) => [v.id, v.impact, v.nodes.slice(0, 2).map((n) => n.html)]);
  };
  const axe = require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  await page.goto(url);
  await check("login");
  await page.type("#token", "wrong");
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
  seen.refused = await page.$eval("[role=alert]", (element) => element.textContent.trim());
  errors.length = 0;  // the refusal itself: the console names its 403
  await page.type("#token", token);
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
  await check("list");
  seen.cookieOfScripts = await page.evaluate(() => document.cookie);
  await Promise.all([page.waitForNavigation(), page.click("tbody a")]);
  await page.waitForFunction(() => document.getElementById("objective-line").getAttribute("points").split(" ").length > 2);
  await check("progress");
  seen.phase = await page.$eval("#phase", (element) => element.textContent);
  seen.gap = await page.$eval("#gap", (element) => element.textContent);
  await page.waitForFunction(() => document.querySelector("#instances"), { timeout: 30000 });
  seen.title = await page.title();
  await page.evaluate(() => document.querySelectorAll("summary").forEach((fold) => fold.click()));
  seen.open = await page.$$eval("details", (folds) => folds.every((fold) => fold.open));
  seen.legend = await page.$$eval(".legend rect", (boxes) => boxes.length);
  await check("plan");
  await Promise.all([page.waitForNavigation(), page.click("header a")]);
  seen.states = await page.$$eval("tbody td:nth-child(3)", (cells) => cells.map((cell) => cell.textContent));
  await Promise.all([page.waitForNavigation(), page.click("header button")]);
  seen.after = new URL(page.url()).pathname;
  console.log(JSON.stringify({ errors, violations, seen }));
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
