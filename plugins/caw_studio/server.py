"""The server: what the page asks for, and what it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from caw_studio.jobs import JobQueue
from caw_studio.library import MODEL_SUFFIX, Library
from caw_studio.processes import printed_by_caw
from caw_studio.requests import body_of, number_in, title_in
from caw_studio.security import Guard, page_policy
from caw_studio.words import in_words_of_the_page
from caw_toolkit import CawError, CawUsageError
from caw_toolkit.plugins import get_host

STATIC = Path(__file__).with_name("static")
#: A comment is sent this often where nothing happens, so that a connection that is gone is noticed.
KEEP_ALIVE_SECONDS = 15.0
#: Formats that every browser plays.
_PLAYABLE = frozenset({".wav", ".flac", ".mp3", ".ogg"})
_MODEL = frozenset({MODEL_SUFFIX})
_DOWNLOADS = frozenset({".wav", ".flac"})


class Studio:
    """Answers to the requests of the page.

    Args:
        library: files that it may see.
        queue: of its jobs.
    """

    def __init__(self, library: Library, queue: JobQueue) -> None:
        self.library = library
        self.queue = queue
        self._answers: dict[tuple[str, ...], Any] = {}
        self._asking = asyncio.Lock()

    def routes(self) -> list[Route | Mount]:
        """Under the secret."""
        return [
            Route("/", self.page),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/api/files", self.files),
            Route("/api/upload", self.upload, methods=["POST"]),
            Route("/api/uploads/{action}", self.act_on_upload, methods=["POST"]),
            Route("/api/sound", self.sound),
            Route("/api/outline", self.outline),
            Route("/api/spectrogram", self.spectrogram),
            Route("/api/audio", self.audio),
            Route("/api/download", self.download),
            Route("/api/model", self.model),
            Route("/api/model-info", self.model_info),
            Route("/api/chain", self.chain, methods=["POST"]),
            Route("/api/effects", self.effects),
            Route("/api/panels", self.panels),
            Route("/api/source-map", self.source_map),
            Route("/api/gaps", self.gaps),
            Route("/api/plan", self.plan),
            Route("/api/jobs", self.jobs),
            Route("/api/jobs", self.add_job, methods=["POST"]),
            Route("/api/jobs/{job}/{action}", self.act_on_job, methods=["POST"]),
            Route("/api/jobs/{job}/record", self.record),
            Route("/api/events", self.events),
        ]

    # The page and its files

    async def page(self, _request: Request) -> Response:
        """The page itself."""
        nonce = secrets.token_urlsafe(16)
        text = (STATIC / "index.html").read_text(encoding="utf-8").replace("{{nonce}}", nonce)
        text = text.replace("{{folder}}", html.escape(str(self.library.folder)))
        headers = {"content-security-policy": page_policy(nonce), "cache-control": "no-store"}
        return Response(text, media_type="text/html", headers=headers)

    async def files(self, _request: Request) -> Response:
        """Names of recordings and models."""
        return JSONResponse(asdict(await run_in_threadpool(self.library.listing)))

    async def upload(self, request: Request) -> Response:
        """Keep a file that is handed in, if it is audio."""
        from caw_studio.sounds import sound_of

        path = await self.library.receive(request.query_params.get("name", ""), request.stream())
        try:
            await run_in_threadpool(sound_of, path)
        except CawError:
            path.unlink()
            raise
        return JSONResponse({"name": self.library.name(path)})

    async def act_on_upload(self, request: Request) -> Response:
        """Remove a file that was handed in, or put it back."""
        name = (await body_of(request)).get("file")
        path, action = self.library.upload(name), request.path_params["action"]
        actions = {"remove": self.library.remove, "put-back": self.library.put_back}
        if action not in actions:
            raise HTTPException(404)
        if any(job.is_unfinished and job.recipe.of == name for job in self.queue.jobs.values()):
            raise CawUsageError(f"{path.name} is being worked on: stop that first")
        await run_in_threadpool(actions[action], path)
        return JSONResponse({})

    async def sound(self, request: Request) -> Response:
        """What is known of a recording."""
        from caw_studio.sounds import sound_of

        sound = await run_in_threadpool(sound_of, self._recording(request))
        known = {name: value for name, value in vars(sound).items() if name != "outline"}
        return JSONResponse(known)

    async def outline(self, request: Request) -> Response:
        """Lowest and highest samples, as pairs of bytes."""
        from caw_studio.sounds import sound_of

        sound = await run_in_threadpool(sound_of, self._recording(request))
        return Response(sound.outline.tobytes(), media_type="application/octet-stream")

    async def spectrogram(self, request: Request) -> Response:
        """Levels of a part, row by row, one byte each."""
        from caw_studio.sounds import spectrogram_of

        path, start, stop = self._recording(request), number_in(request, "start"), number_in(request, "stop")
        made = await run_in_threadpool(spectrogram_of, path, start, stop, int(number_in(request, "columns")))
        bounds = {"x-lowest-hz": f"{made.lowest_hz:.1f}", "x-highest-hz": f"{made.highest_hz:.1f}"}
        return Response(made.levels.tobytes(), media_type="application/octet-stream", headers=bounds)

    async def audio(self, request: Request) -> Response:
        """A recording as browsers play it."""
        from caw_studio.sounds import converted

        path = self._recording(request)
        if path.suffix.lower() in _PLAYABLE:
            return FileResponse(path)
        return Response(await run_in_threadpool(converted, path, ".wav"), media_type="audio/wav")

    async def download(self, request: Request) -> Response:
        """A recording to keep: as it is, or with the same samples in another format."""
        from caw_studio.sounds import converted

        path = self._recording(request)
        suffix = "." + request.query_params.get("format", path.suffix[1:]).lower()
        if suffix == path.suffix.lower():
            return FileResponse(path, filename=title_in(request, path.stem) + path.suffix)
        if suffix not in _DOWNLOADS:
            raise CawUsageError("downloads are in WAV or FLAC")
        data = await run_in_threadpool(converted, path, suffix)
        name = quote(title_in(request, path.stem) + suffix)
        headers = {"content-disposition": f"attachment; filename*=utf-8''{name}"}
        return Response(data, media_type=f"audio/{suffix[1:]}", headers=headers)

    async def model(self, request: Request) -> Response:
        """A model to keep."""
        path = self.library.path(request.query_params.get("file"), _MODEL)
        return FileResponse(path, filename=title_in(request, path.stem) + path.suffix)

    async def effects(self, _request: Request) -> Response:
        """Effects for chains, with their parameters."""
        from caw_studio.chains import known_effects

        known = await run_in_threadpool(known_effects)
        return JSONResponse([asdict(effect) for effect in known.values()])

    async def panels(self, _request: Request) -> Response:
        """Panels that plugins add, with their parameters."""
        from caw_studio.panels import known_panels

        known = await run_in_threadpool(known_panels)
        return JSONResponse([asdict(offer) for offer in known.values()])

    async def chain(self, request: Request) -> Response:
        """A chain as a file for `caw process --chain`."""
        from caw_studio.chains import chain_toml

        body = await body_of(request)
        return JSONResponse({"toml": await run_in_threadpool(chain_toml, body.get("chain"), self.library)})

    async def source_map(self, request: Request) -> Response:
        """Which second of the recording each moment of a take came from."""
        from caw_studio.sounds import sources_of

        recording = self.library.path(request.query_params.get("recording"))
        return JSONResponse(await run_in_threadpool(sources_of, self._recording(request), recording))

    def _recording(self, request: Request) -> Path:
        return self.library.path(request.query_params.get("file"))

    async def refused(self, _request: Request, error: Exception) -> Response:
        """Why a request is not answered."""
        return JSONResponse({"error": in_words_of_the_page(str(error), self.library)}, 400)

    async def not_kept(self, _request: Request, error: Exception) -> Response:
        """What the disk says of a request: that it is full, or may not be written to."""
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return JSONResponse({"error": f"cannot read or write in {self.library.folder}: {said}"}, 507)

    # Jobs

    async def plan(self, request: Request) -> Response:
        """What training on a recording would do, or why that cannot be."""
        path = self._recording(request)
        try:
            return JSONResponse(await self._asked(path, "train", "--dry-run", "--json", "--quiet", "-o", "model.pt"))
        except CawError as error:
            return JSONResponse({"problem": in_words_of_the_page(str(error), self.library)})

    async def gaps(self, request: Request) -> Response:
        """What `caw inpaint --find` finds in a recording."""
        if "inpaint" not in get_host().items("command"):
            raise CawUsageError("no plugin finds gaps here: caw inpaint is missing, so mark them by hand")
        found = await self._asked(self._recording(request), "inpaint", "--find", "--dry-run", "--json", "--quiet")
        return JSONResponse(
            [[gap["start_seconds"], gap["stop_seconds"], gap["kind"], gap.get("channel")] for gap in found["gaps"]]
        )

    async def model_info(self, request: Request) -> Response:
        """What a model file holds."""
        path = self.library.path(request.query_params.get("file"), _MODEL)
        return JSONResponse(await self._asked(path, "info", "--json"))

    async def _asked(self, path: Path, *arguments: str) -> Any:
        """What `caw ARGUMENTS PATH` prints, asked once, one at a time."""
        question = (*arguments, str(path), str(path.stat().st_mtime_ns))
        async with self._asking:
            if question not in self._answers:
                self._answers[question] = await printed_by_caw(*arguments, str(path))
        return self._answers[question]

    async def jobs(self, _request: Request) -> Response:
        """All jobs."""
        return JSONResponse([self.queue.shown(job) for job in self.queue.jobs.values()])

    async def add_job(self, request: Request) -> Response:
        """Begin a job."""
        body = await body_of(request)
        job = await self.queue.add(body.get("kind"), body.get("settings"))
        return JSONResponse(self.queue.shown(job))

    async def act_on_job(self, request: Request) -> Response:
        """Stop a job, go on with it, remove it or put it back."""
        identifier, action = request.path_params["job"], request.path_params["action"]
        queue = self.queue
        actions = {"stop": queue.stop, "resume": queue.resume, "remove": queue.remove, "put-back": queue.put_back}
        if action not in actions:
            raise HTTPException(404)
        await actions[action](identifier)
        return JSONResponse({})

    async def record(self, request: Request) -> Response:
        """The record that `--log` has kept of a job."""
        path = self.library.jobs / self.queue.find(request.path_params["job"]).id / "log.jsonl"
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, filename=f"{path.parent.name}.jsonl")

    async def events(self, _request: Request) -> Response:
        """Jobs as they change, for as long as the page is open."""
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        yield ": hello\n\n"
        async for job in self.queue.changes(KEEP_ALIVE_SECONDS):
            yield ": still here\n\n" if job is None else f"data: {json.dumps(self.queue.shown(job))}\n\n"


def make_app(library: Library, queue: JobQueue, *, token: str, host: str, port: int) -> Starlette:
    """The application.

    Args:
        library: files of the session, which is open.
        queue: of its jobs.
        token: secret of the address.
        host: that the server listens at.
        port: of it.
    """
    studio = Studio(library, queue)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        from caw_studio.sounds import prepare

        await run_in_threadpool(prepare, library.path(library.listing().built_in[0]))
        queue.start()
        yield
        await queue.close()

    return Starlette(
        routes=[Mount(f"/{token}", routes=studio.routes())],
        middleware=[Middleware(Guard, token=token, host=host, port=port)],
        exception_handlers={CawError: studio.refused, OSError: studio.not_kept, ClientDisconnect: _gone},
        lifespan=lifespan,
    )


def serve(library: Library, listening: socket.socket, *, token: str, host: str, port: int) -> None:
    """Serve until Ctrl-C.

    Args:
        library: files of the session, which is open.
        listening: the socket.
        token: secret of the address.
        host: that the server listens at.
        port: of it.
    """
    queue = JobQueue(library)
    app = make_app(library, queue, token=token, host=host, port=port)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="on")
    with contextlib.suppress(KeyboardInterrupt):
        _Server(config, queue).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends streams of events when it is to end, which would go on for ever."""

    def __init__(self, config: uvicorn.Config, queue: JobQueue) -> None:
        super().__init__(config)
        self._queue = queue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._queue.hang_up()
        await super().shutdown(sockets)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)
