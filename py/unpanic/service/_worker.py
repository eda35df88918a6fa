"""The page's service worker: how it is registered, asked whether it is unpanic's, and replaced by a newer one."""

from typing import Any

from .._version import __version__
from ._exchange import ServiceError
from ._page import Page

__all__ = ["ServiceWorker"]

FILE = "unpanic-service-worker.js"


class ServiceWorker:
    """The service worker at a URL.

    Args:
        page: the page whose requests it hands to Python.
        url: the address of its file.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.url = url
        self._page = page
        self._container = page.container()
        self._registration: Any = None

    async def register(self) -> None:
        """Registers the worker unless it is registered, and waits until it is active.

        Raises:
            ServiceError: the browser does not register or start it, or it does not reach this page.
        """
        page = self._page
        self._registration = await self._earlier_registration() or await self._new_registration()
        scope, address = str(self._registration.scope), str(page.js.location.href)
        if not address.startswith(scope):
            raise ServiceError(
                f"The service worker {self.url} reaches pages below {scope}, which {address} is not: "
                "put its file into the page's folder or one above."
            )
        if page.is_nothing(self._registration.active) or str(self._registration.active.scriptURL) != self.url:
            await self._begin_newest()
        if page.is_nothing(self._registration.active):
            raise ServiceError(
                f"The browser does not start the service worker {self.url}: it has an error, or takes too long."
            )

    async def serve(self, prefix: str) -> str:
        """Tells the worker to hand over the requests of a prefix; returns the name that it has for this page.

        Raises:
            ServiceError: it is another worker, one of another version, or it does not control this page.
        """
        registration = self._registration
        answer = await self._page.ask(registration.active, unpanic="serve", prefix=prefix)
        if answer is None or answer.version != __version__:
            # This worker is of an earlier visit. Now the browser looks for a newer file. On its own it would use that
            # only after all pages of the site have been closed.
            await self._update()
            answer = await self._page.ask(registration.active, unpanic="serve", prefix=prefix)
        self._check_identity(answer)
        container = self._container
        if self._page.is_nothing(container.controller) and not await self._page.happens(container, "controllerchange"):
            raise ServiceError(f"The browser did not give this page to the service worker {self.url}: load it again.")
        return str(answer.client)

    async def forget(self, prefix: str, lock: str) -> None:
        """Tells the worker that this Python does not serve a prefix any more."""
        active = self._registration.active
        if not self._page.is_nothing(active):
            await self._page.ask(active, unpanic="forget", prefix=prefix, lock=lock)

    def _check_identity(self, answer: Any) -> None:
        active = str(self._registration.active.scriptURL)
        if active != self.url:
            raise ServiceError(
                f"The service worker {self.url} waits until {active} has ended: close all pages of "
                f"this site. One that imports {FILE} begins at once."
            )
        if answer is None:
            raise ServiceError(f"{self.url} is another service worker: it does not import {FILE}.")
        if answer.version != __version__:
            raise ServiceError(
                f"The service worker {self.url} is that of unpanic {answer.version}, but this is unpanic "
                f"{__version__}: `unpanic assets DIR` writes the file of this version."
            )

    async def _earlier_registration(self) -> Any:
        """Returns the registration of an earlier load of this page, if its worker is active; else None."""
        page = self._page
        scope = str(page.js.URL.new("./", self.url).href)
        registration = await self._container.getRegistration(scope)
        if page.is_nothing(registration) or str(registration.scope) != scope:
            return None
        active = registration.active
        return registration if not page.is_nothing(active) and str(active.scriptURL) == self.url else None

    async def _new_registration(self) -> Any:
        options = self._page.message({"updateViaCache": "none"})
        # In Chromium this may wait while another worker waits, or while it is about to look for a newer file.
        registration, error = await self._page.settle(self._container, "register", self.url, options)
        if error is not None:
            raise await self._refusal(error)
        if registration is None:
            raise ServiceError(
                f"The browser does not register the service worker {self.url}: close all pages of this site."
            )
        return registration

    async def _refusal(self, error: Any) -> ServiceError:
        """Returns why the browser did not register the worker, in words that do not depend on the browser."""
        page = self._page
        response, _ = await page.settle(page.js.globalThis, "fetch", self.url, page.message({"cache": "no-store"}))
        if response is None:
            return ServiceError(f"The service worker {self.url} cannot be fetched: {error.message}")
        media_type = response.headers.get("content-type")
        media_type = "without a type" if page.is_nothing(media_type) else f"as {media_type}"
        if not response.ok:
            return ServiceError(
                f"There is no service worker at {self.url} (HTTP status {response.status}). `unpanic assets DIR` "
                f"writes {FILE} into a folder of your site; serve(..., worker=...) tells where it is."
            )
        if "javascript" not in media_type:
            return ServiceError(
                f"The service worker {self.url} comes {media_type}, not as text/javascript, so browsers refuse it."
            )
        return ServiceError(f"The browser refuses the service worker {self.url}: {error.message}")

    async def _update(self) -> None:
        """Lets the browser look for a newer file, whose worker takes the place of the active one."""
        _, error = await self._page.settle(self._registration, "update")  # may wait as `register` may
        if error is None:
            await self._begin_newest()

    async def _begin_newest(self) -> None:
        """Asks the newest worker of the registration to become the active one, and waits until it is."""
        for role in ("installing", "waiting"):
            worker = getattr(self._registration, role)
            while not self._page.is_nothing(worker) and str(worker.state) not in ("activated", "redundant"):
                state = str(worker.state)
                if state == "installed":
                    worker.postMessage(self._page.message({"unpanic": "activate"}))
                # Installing takes as long as the downloads of a worker that keeps the site for use without a network.
                if not await self._page.happens(worker, "statechange", takes_its_time=state == "installing"):
                    return
