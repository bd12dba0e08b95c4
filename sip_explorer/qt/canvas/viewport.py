"""Where the image lies in the view: zoom, origin, fit, limits."""

import math

SMALL_IMAGE = 64  # images up to this side are pixel art: shown unsmoothed, at a whole scale
LARGEST_ZOOM = 64.0


class Viewport:
    """Maps image pixels to view positions: view = origin + zoom · image, in logical pixels.

    The origin always lies on a physical pixel, so that unsmoothed images stay crisp.

    Parameters
    ----------
    margin
        Logical pixels left free around a fitted image (so that its rim can be painted).
    """

    def __init__(self, margin: float = 8.0) -> None:
        self._margin = margin
        self.zoom = 1.0
        self.x = 0.0
        self.y = 0.0
        self.fitted = True  # follows the view's size until somebody zooms
        self._view = (1.0, 1.0)
        self._image = (1, 1)
        self._ratio = 1.0
        self._corner = (0.0, 0.0)

    def set_sizes(
        self,
        view: tuple[float, float],
        image: tuple[int, int],
        ratio: float,
        corner: tuple[float, float] = (0, 0),
    ) -> None:
        """Take over what the place of the image depends on.

        Parameters
        ----------
        view, image
            Width and height, in logical and in image pixels.
        ratio
            Physical pixels per logical one.
        corner
            Where the view begins in its window, in logical pixels.
        """
        if image != self._image:
            self.fitted = True
        middle = self.to_image(self._view[0] / 2, self._view[1] / 2)
        self._view = (max(1.0, view[0]), max(1.0, view[1]))
        self._image, self._ratio, self._corner = image, ratio, corner
        if self.fitted:
            self.fit()
        else:  # what was in the middle stays there
            self.zoom = min(max(self.zoom, self.least), self.most)
            self.x = self._view[0] / 2 - middle[0] * self.zoom
            self.y = self._view[1] / 2 - middle[1] * self.zoom
            self._settle()

    @property
    def fit_zoom(self) -> float:
        """The zoom at which the whole image shows; a whole scale for small images."""
        (width, height), (columns, rows) = self._view, self._image
        scale = min((width - 2 * self._margin) / columns, (height - 2 * self._margin) / rows)
        scale = max(scale, 1 / max(columns, rows))
        if max(columns, rows) <= SMALL_IMAGE and scale * self._ratio >= 1:
            scale = math.floor(scale * self._ratio + 1e-9) / self._ratio
        return scale

    @property
    def least(self) -> float:
        """The smallest zoom."""
        return min(1.0, self.fit_zoom)

    @property
    def most(self) -> float:
        """The largest zoom."""
        return max(LARGEST_ZOOM, self.fit_zoom)

    def fit(self) -> None:
        """Show the whole image."""
        self.zoom = self.fit_zoom
        self.fitted = True
        self._settle()

    def zoom_at(self, factor: float, x: float, y: float) -> None:
        """Zoom by a factor; what is under the view position (x, y) stays under it."""
        column, row = self.to_image(x, y)
        self.zoom = min(max(self.zoom * factor, self.least), self.most)
        self.fitted = abs(self.zoom - self.fit_zoom) < 1e-9
        self.x = x - column * self.zoom
        self.y = y - row * self.zoom
        self._settle()

    def pan(self, dx: float, dy: float) -> None:
        """Move the image by logical pixels; its edges reach the middle of the view at most."""
        self.x += dx
        self.y += dy
        self._settle()

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """View position to image coordinates; pixel (row i, column j) spans [j, j + 1) x [i, i + 1)."""
        return (x - self.x) / self.zoom, (y - self.y) / self.zoom

    def to_view(self, column: float, row: float) -> tuple[float, float]:
        """Image coordinates to view position."""
        return self.x + column * self.zoom, self.y + row * self.zoom

    def _settle(self) -> None:
        size = (self._image[0] * self.zoom, self._image[1] * self.zoom)
        self.x = self._settled(self.x, self._view[0], size[0], self._corner[0])
        self.y = self._settled(self.y, self._view[1], size[1], self._corner[1])

    def _settled(self, origin: float, view: float, image: float, corner: float) -> float:
        fits = image <= view + 1e-6
        origin = (view - image) / 2 if fits else min(max(origin, view / 2 - image), view / 2)
        return round((corner + origin) * self._ratio) / self._ratio - corner
