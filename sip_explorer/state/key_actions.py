"""Every key of the program, in one table: to act on, to show, and to change."""

from dataclasses import dataclass

TOOLS = "Tools"
CANVAS = "Canvas"
DRAWING = "While a shape is drawn"
MASK = "Mask"
IMAGES = "Images and review"
LIBRARY = "Library"
WINDOW = "Window"

GROUPS = (TOOLS, CANVAS, DRAWING, MASK, IMAGES, LIBRARY, WINDOW)
"""In the order in which they are shown."""


@dataclass(frozen=True)
class KeyAction:
    """One thing that keys do.

    Attributes
    ----------
    id
        Its name in the program and in the settings file.
    group
        Under which words it is shown, one of `GROUPS`. The keys of "While a shape is drawn" come
        before all others while a shape is under way, and may be keys of other groups too.
    words
        What it does.
    keys
        Its default keys as portable text, the first one shown; may be none.
    held
        Whether it lasts while the key is down.
    """

    id: str
    group: str
    words: str
    keys: tuple[str, ...] = ()
    held: bool = False


ACTIONS = (
    KeyAction("brush", TOOLS, "Brush", ("B",)),
    KeyAction("eraser", TOOLS, "Eraser", ("E",)),
    KeyAction("polygon", TOOLS, "Polygon", ("G",)),
    KeyAction("lasso", TOOLS, "Lasso", ("L",)),
    KeyAction("box", TOOLS, "Box", ("R",)),
    KeyAction("fill", TOOLS, "Fill", ("K",)),
    KeyAction("encircle", TOOLS, "Encircle and fill (also the right button, with every tool)", ("C",)),
    KeyAction("superpixel", TOOLS, "Superpixel brush", ("S",)),
    KeyAction("erasing", TOOLS, "Hold to erase with any tool (also a pen's eraser end)", ("Shift",), True),
    KeyAction("smaller", TOOLS, "Smaller brush (also Ctrl+wheel, Alt+drag)", ("[",)),
    KeyAction("larger", TOOLS, "Larger brush (also Ctrl+wheel, Alt+drag)", ("]",)),
    KeyAction("softer", TOOLS, "Softer brush", ("{",)),
    KeyAction("harder", TOOLS, "Harder brush", ("}",)),
    KeyAction("level_down", TOOLS, "Paint with less salience", (",",)),
    KeyAction("level_up", TOOLS, "Paint with more salience", (".",)),
    KeyAction("fit", CANVAS, "Fit the image to the window", ("F", "0")),
    KeyAction("true_size", CANVAS, "One image pixel on one screen pixel", ("1",)),
    KeyAction("zoom_in", CANVAS, "Zoom in (also the wheel)", ("+", "=")),
    KeyAction("zoom_out", CANVAS, "Zoom out (also the wheel)", ("-",)),
    KeyAction("pan", CANVAS, "Hold and drag to move the image (also the middle button)", ("Space",), True),
    KeyAction("hide", CANVAS, "Hold to see the image without its salience", ("H",), True),
    KeyAction("abort", CANVAS, "Take back what is under way", ("Esc",)),
    KeyAction("close", DRAWING, "Close the polygon (also a double click)", ("Return", "Enter")),
    KeyAction("take_back", DRAWING, "Take back its last point", ("Backspace",)),
    KeyAction("undo", MASK, "Undo", ("Ctrl+Z",)),
    KeyAction("redo", MASK, "Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    KeyAction("clear", MASK, "Clear the mask", ("Ctrl+Backspace",)),
    KeyAction("copy_previous", MASK, "Copy the mask of the previous image", ("V",)),
    KeyAction("threshold", MASK, "Threshold the mask", ("T",)),
    KeyAction("smooth", MASK, "Smooth the mask", ("M",)),
    KeyAction("soften", MASK, "Make a hard mask soft", ("Shift+M",)),
    KeyAction("harden", MASK, "Make a soft mask hard", ("Shift+T",)),
    KeyAction("propose", MASK, "Propose salience", ("P",)),
    KeyAction("accept", MASK, "Accept the proposal", ("Return", "Enter")),
    KeyAction("refuse", MASK, "Refuse the proposal", ("Backspace",)),
    KeyAction("next_proposal", MASK, "Next open proposal", ("Shift+P",)),
    KeyAction("previous", IMAGES, "Previous image", ("A", "PgUp")),
    KeyAction("next", IMAGES, "Next image", ("D", "PgDown")),
    KeyAction("next_unpainted", IMAGES, "Next unpainted image", ("N",)),
    KeyAction("next_unchecked", IMAGES, "Next unchecked image", ("U",)),
    KeyAction("next_disputed", IMAGES, "Next disputed image", ("I",)),
    KeyAction("empty", IMAGES, "Nothing in this image is salient", ("Shift+N",)),
    KeyAction("skip", IMAGES, "Skip this image", ("Shift+D",)),
    KeyAction("check", IMAGES, "Check this mask", ("Y",)),
    KeyAction("dispute", IMAGES, "Dispute this mask", ("X",)),
    KeyAction("others", IMAGES, "Show the masks of others", ("O",)),
    KeyAction("paint_view", IMAGES, "Paint", ("Alt+1",)),
    KeyAction("compare_view", IMAGES, "Compare", ("Alt+2",)),
    KeyAction("agreement_view", IMAGES, "Agreement", ("Alt+3",)),
    KeyAction("find_images", LIBRARY, "Find images", ("Ctrl+F", "/")),
    KeyAction("tag_images", LIBRARY, "Tag the chosen images", ("Ctrl+T",)),
    KeyAction("class_images", LIBRARY, "Give the chosen images a class", ("Ctrl+L",)),
    KeyAction("new_workspace", WINDOW, "New workspace from images", ("Ctrl+N",)),
    KeyAction("add_images", WINDOW, "Add images to the workspace", ("Ctrl+Shift+N",)),
    KeyAction("open_workspace", WINDOW, "Open a workspace", ("Ctrl+O",)),
    KeyAction("open_demo", WINDOW, "Open the demo workspace"),
    KeyAction("add_model", WINDOW, "Add a trained model", ("Ctrl+M",)),
    KeyAction("import_salience", WINDOW, "Import salience", ("Ctrl+I",)),
    KeyAction("export_salience", WINDOW, "Export salience", ("Ctrl+E",)),
    KeyAction("annotator", WINDOW, "Choose the annotator"),
    KeyAction("library_room", WINDOW, "Library room", ("Ctrl+0",)),
    KeyAction("salience_room", WINDOW, "Salience room", ("Ctrl+1",)),
    KeyAction("training_room", WINDOW, "Train room", ("Ctrl+2",)),
    KeyAction("attacks_room", WINDOW, "Attack room", ("Ctrl+3",)),
    KeyAction("prototypes_room", WINDOW, "Prototypes room", ("Ctrl+4",)),
    KeyAction("commands", WINDOW, "Find a command", ("Ctrl+K",)),
    KeyAction("key_table", WINDOW, "All keys", ("?",)),
    KeyAction("quit", WINDOW, "Quit", ("Ctrl+Q",)),
)
