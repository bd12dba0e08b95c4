"""The one selection that every room follows: images, the current image, models, the annotator."""

from collections.abc import Iterable

from psygnal import Signal


class Selection:
    """What is looked at. Every setter emits its signal only when the value really changed.

    Attributes
    ----------
    images : tuple of int
        The selected image ids, in order; rooms work on these.
    current_image : int or None
        The image on show.
    models : tuple of str
        Ids of the selected models (`ModelEntry.id`), first one first.
    current_model : str or None
        The model that proposals and previews use.
    annotator : str
        Whose masks are painted and shown.
    """

    images_changed = Signal(tuple)
    current_image_changed = Signal(object)
    models_changed = Signal(tuple)
    current_model_changed = Signal(object)
    annotator_changed = Signal(str)

    def __init__(self) -> None:
        self._images: tuple[int, ...] = ()
        self._current_image: int | None = None
        self._models: tuple[str, ...] = ()
        self._current_model: str | None = None
        self._annotator = ""

    @property
    def images(self) -> tuple[int, ...]:
        return self._images

    @images.setter
    def images(self, ids: Iterable[int]) -> None:
        value = tuple(int(i) for i in ids)
        if value != self._images:
            self._images = value
            self.images_changed.emit(value)

    @property
    def current_image(self) -> int | None:
        return self._current_image

    @current_image.setter
    def current_image(self, image_id: int | None) -> None:
        value = None if image_id is None else int(image_id)
        if value != self._current_image:
            self._current_image = value
            self.current_image_changed.emit(value)

    @property
    def models(self) -> tuple[str, ...]:
        return self._models

    @models.setter
    def models(self, ids: Iterable[str]) -> None:
        value = tuple(ids)
        if value != self._models:
            self._models = value
            self.models_changed.emit(value)

    @property
    def current_model(self) -> str | None:
        return self._current_model

    @current_model.setter
    def current_model(self, model_id: str | None) -> None:
        if model_id != self._current_model:
            self._current_model = model_id
            self.current_model_changed.emit(model_id)

    @property
    def annotator(self) -> str:
        return self._annotator

    @annotator.setter
    def annotator(self, name: str) -> None:
        if name != self._annotator:
            self._annotator = name
            self.annotator_changed.emit(name)
