"""What is answered at each address. Everything reads; the two that write only log a browser in and out."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from aiohttp import web

from planner.live.events import stream
from planner.live.login import SESSION_S, Login
from planner.live.pages import asset, headers, render
from planner.plan import Plan
from planner.service.async_store import AsyncStore
from planner.service.errors import StatusError
from planner.service.hub import Hub
from planner.service.identity import Caller
from planner.service.paging import decode_token, encode_token
from planner.service.protos import status_pb2
from planner.store.plans import PlanStore
from planner.store.records import PlanRecord

__all__ = ["make_app"]

log = logging.getLogger(__name__)

COOKIE = "fulcrum_session"
PAGE = 50
"""Plans on a page of the list."""
KEPT = 16
"""Pages of finished plans that are kept ready."""
MOST_FORM_BYTES = 4096
OPEN = {"/login", "/live.css", "/live.js", "/favicon.ico"}
"""Paths that nobody needs to be known for."""
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(store: AsyncStore, hub: Hub, login: Login, *, secure: bool, local_only: bool) -> web.Application:
    """Return the application.

    Parameters
    ----------
    secure
        It is served over TLS: cookies are for that only.
    local_only
        Nobody logs in and only this machine may ask: requests for another host name are refused, so that no
        page of the network can reach the plans through a browser here.
    """
    views = _Views(store, hub, login, secure=secure, local_only=local_only)
    app = web.Application(middlewares=[views.guard], client_max_size=MOST_FORM_BYTES)
    app.add_routes(
        [
            web.get("/", views.plans),
            web.get("/plans/{id:[0-9a-f]{32}}", views.plan),
            web.get("/plans/{id:[0-9a-f]{32}}/plan.json", views.plan_json),
            web.get("/plans/{id:[0-9a-f]{32}}/events", views.events),
            web.get("/{name:live\\.(?:css|js)}", views.asset),
            web.get("/favicon.ico", views.no_icon),
            web.get("/login", views.login_form),
            web.post("/login", views.log_in),
            web.post("/logout", views.log_out),
        ]
    )
    return app


class _Views:
    def __init__(self, store: AsyncStore, hub: Hub, login: Login, *, secure: bool, local_only: bool) -> None:
        self._store, self._hub, self._login = store, hub, login
        self._secure, self._local_only = secure, local_only
        self._pages: OrderedDict[str, str] = OrderedDict()

    @web.middleware
    async def guard(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Let known callers in; turn every error into a page."""
        try:
            if self._local_only and not _is_local(request.host):
                return _page(_missing("Not this host", "Ask for 127.0.0.1 or localhost."), status=421)
            if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none") and (
                request.method != "GET"
            ):
                return _page(_missing("Not from there", "Send the form from this site."), status=403)
            found = self._login.caller(request.headers.get("Authorization"), request.cookies.get(COOKIE))
            if found is None and request.path not in OPEN:
                return self._ask_to_log_in(request)
            if found is not None:
                request[CALLER] = found
            return await handler(request)
        except web.HTTPNotFound:
            return _page(_missing("Not found", "There is no such page, or it is not yours."), status=404)
        except web.HTTPMethodNotAllowed:
            return _page(_missing("Not possible", "This can only be read."), status=405)
        except web.HTTPException as error:
            return _page(_missing("Not possible", error.reason), status=error.status)
        except StatusError as error:
            return _page(_missing("Not possible", error.status.message), status=400)
        except ConnectionError:
            raise
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return _page(_missing("Failed", "The server's log has the details."), status=500)

    def _ask_to_log_in(self, request: web.Request) -> web.StreamResponse:
        """A browser that wants a page gets the form; everything else learns which header is missing."""
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            from urllib.parse import quote

            where = f"/login?next={quote(request.path_qs, safe='')}"
            return web.Response(status=303, headers={**headers(""), "Location": where})
        answer = _page(_missing("Log in", "Send the header Authorization: Bearer TOKEN."), status=401)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="fulcrum"'
        return answer

    # -- plans ---------------------------------------------------------------------------------------------

    async def plans(self, request: web.Request) -> web.StreamResponse:
        """The plans of the caller's tenant, newest first."""
        who, fleet = request[CALLER], request.query.get("fleet", "")
        query = f"pages {fleet!r}"
        before = decode_token(request.query.get("page", ""), query)
        found = await self._store.read(
            PlanStore.page, tenant=who.tenant, limit=PAGE + 1, before=before, fleet=fleet or None
        )
        last = found[PAGE - 1] if len(found) > PAGE else None
        text = render(
            "list.html.j2", title="Plans", who=self._shown(who), plans=found[:PAGE], fleet=fleet,
            next_page=encode_token((last.create_us, last.id), query) if last is not None else "",
        )  # fmt: skip
        return _page(text)

    async def plan(self, request: web.Request) -> web.StreamResponse:
        """The page of a plan; of one that is being made, its progress."""
        record = await self._record(request)
        if record.result_json is not None and record.state.terminal:
            return _page(await self._finished(record))
        reason = status_pb2.Status.FromString(record.error).message if record.error else ""
        text = render(
            "progress.html.j2", title=f"Plan of {record.fleet}", who=self._shown(request[CALLER]),
            plan=record, reason=reason,
        )  # fmt: skip
        return _page(text)

    async def _finished(self, record: PlanRecord) -> str:
        """The page of a finished plan, which never changes again."""
        kept = self._pages.get(record.id)
        if kept is None:
            events = await self._store.read(PlanStore.events, record.id)

            def make() -> str:
                from planner.report.page import plan_page
                from planner.report.page.trajectory import Sample

                samples = [
                    Sample(phase=e.phase, elapsed_s=e.elapsed_s, objective=e.objective, bound=e.bound)
                    for e in events
                ]
                return plan_page(Plan.from_json(record.result_json or ""), trajectory=samples, home="/")

            kept = await asyncio.to_thread(make)
            self._pages[record.id] = kept
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
        return kept

    async def plan_json(self, request: web.Request) -> web.StreamResponse:
        """The plan as `fulcrum plan --out` writes it."""
        record = await self._record(request)
        if record.result_json is None:
            raise web.HTTPNotFound
        return web.Response(text=record.result_json, content_type="application/json", headers=headers(""))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Progress as server-sent events."""
        record = await self._record(request)
        text = request.headers.get("Last-Event-ID", "0")
        after = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
        response = web.StreamResponse(
            headers={**headers(""), "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        async for event in stream(self._store, self._hub, record.id, request[CALLER].tenant, after):
            await response.write(event.encode())
        await response.write_eof()
        return response

    async def _record(self, request: web.Request) -> PlanRecord:
        found = await self._store.read(PlanStore.get, request.match_info["id"], tenant=request[CALLER].tenant)
        if found is None:
            raise web.HTTPNotFound
        return found

    # -- the rest ------------------------------------------------------------------------------------------

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """The script or the style sheet."""
        found = asset(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        text, kind = found
        return web.Response(
            text=text, content_type=kind, headers={**headers(""), "Cache-Control": "max-age=3600"}
        )

    async def no_icon(self, request: web.Request) -> web.StreamResponse:
        """Browsers ask for one unbidden."""
        return web.Response(status=204, headers=headers(""))

    async def login_form(self, request: web.Request) -> web.StreamResponse:
        """The form."""
        text = render(
            "login.html.j2",
            title="Log in",
            who=None,
            next=_own_path(request.query.get("next", "/")),
            wrong=False,
        )
        return _page(text)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Give a browser its cookie."""
        form = await request.post()
        token, path = str(form.get("token", "")), _own_path(str(form.get("next", "/")))
        cookie = self._login.cookie(token)
        if cookie is None:
            text = render("login.html.j2", title="Log in", who=None, next=path, wrong=True)
            return _page(text, status=403)
        response = web.Response(status=303, headers={**headers(""), "Location": path})
        response.set_cookie(
            COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="Strict", secure=self._secure, path="/"
        )
        return response

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """Take the cookie back."""
        response = web.Response(status=303, headers={**headers(""), "Location": "/login"})
        response.del_cookie(COOKIE, path="/")
        return response

    def _shown(self, who: Caller) -> Caller | None:
        """The caller, where there is anything to log out of."""
        return who if self._login.needed else None


def _page(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status, headers=headers(text))


def _missing(title: str, message: str) -> str:
    return render("missing.html.j2", title=title, who=None, message=message)


def _own_path(path: str) -> str:
    """A path of this site, never the address of another."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def _is_local(host: str) -> bool:
    name = host.rsplit(":", 1)[0].strip("[]") if not host.endswith("]") else host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
