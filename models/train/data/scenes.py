"""Seeds, photographs and marked frames -> views and targets for the locator, cached."""

import glob
import multiprocessing
import os

import cv2
import numpy as np

from ..draw.camera import SIZE, camera
from ..draw.light import light
from ..draw.scenes import scene
from ..draw.simple import Material, mixed_face
from ..draw.targets import CELLS, FINE, grid, mask_of, target
from ..storing import storing
from .captures import generator, load_photographs
from .frames import corners_of, fitted, marked_rows, read, seen_rows
from .tiles import read_pixels

LONG = 512  # of a background's long side, in pixels


def things_photographed(root):
    """Overviews of bona fide captures that show things, not documents."""
    wanted = [p for p in load_photographs(root) if p.shows_things]
    wholes = [read_pixels(p).whole for p in wanted]
    return [np.asarray(whole.resize(fitted(whole.size, LONG))) for whole in wholes]


def real_material(root):
    """Rectified documents of the marked frames that may be trained on, surfaces beside them, textures, close print."""
    faces, grounds = [], []
    for row in seen_rows(root):
        image, corners = read(os.path.join(root, row["path"])), corners_of(row, kind=float)
        sides = np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1)
        wide, high = sides[0] + sides[2], sides[1] + sides[3]
        w, h = round(448 * wide / max(wide, high)), round(448 * high / max(wide, high))
        ends = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        m = cv2.getPerspectiveTransform(corners.astype(np.float32), ends)
        faces.append(cv2.warpPerspective(image, m, (w, h), flags=cv2.INTER_AREA))
        grounds += surroundings(image, corners)
    renders = [_small(p) for p in sorted(glob.glob(os.path.join(root, "card_renders", "**", "*.png"), recursive=True))]
    faces += 4 * renders
    textures = [_small(p) for p in sorted(glob.glob(os.path.join(root, "textures", "*", "*.*")))]
    prints = [_small(p) for p in sorted(glob.glob(os.path.join(root, "documents", "*", "*.crop.jpg")))]
    return Material(faces, grounds + 3 * textures, prints)


def surroundings(image, corners, least=120):
    """What a frame shows above, below, left and right of its document."""
    h, w = image.shape[:2]
    (left, top), (right, bottom) = corners.min(0).astype(int) - 4, corners.max(0).astype(int) + 4
    parts = image[: max(top, 0)], image[bottom:], image[:, : max(left, 0)], image[:, right:]
    return [np.ascontiguousarray(p) for p in parts if min(p.shape[:2]) >= least]


def _small(path):
    image = read(path)
    return cv2.resize(image, fitted(image.shape[1::-1], 640), interpolation=cv2.INTER_AREA)


_shown = None


def _begin(*shown):
    global _shown
    cv2.setNumThreads(1)
    _shown = shown


def _made(seed):
    photos, real = _shown
    return scene(photos, seed, real)


def cached_scenes(photos, real, first, count, path, workers):
    """-> pictures [N,192,192,3] and targets [N,3,48,48], bytes; corners [N,4,2]."""
    names = [f"{path}.{part}.npy" for part in ("pictures", "targets", "corners")]
    if not all(os.path.exists(n) for n in names):
        with multiprocessing.get_context("spawn").Pool(workers, _begin, (photos, real)) as pool:
            done = list(pool.imap(_made, range(first, first + count), chunksize=64))
        for name, part in zip(names, zip(*done)):
            with storing(name) as file:
                np.save(file, np.stack(part))
    return [np.load(n, mmap_mode="r") for n in names]


def tilted(image, corners, rng):
    """A marked frame cut out and tilted anew -> picture and target, as `scenes.scene` gives them."""
    h, w = image.shape[:2]
    low, high, tight = corners.min(0), corners.max(0), rng.uniform(0, 0.9)
    left, top = rng.uniform(0, 1, 2) * np.clip(low, 0, None) * tight
    right, bottom = np.array([w, h]) - rng.uniform(0, 1, 2) * np.clip(np.array([w, h]) - high, 0, None) * tight
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    box += rng.normal(0, 0.02, (4, 2)).astype(np.float32) * (right - left, bottom - top)
    m = cv2.getPerspectiveTransform(box, grid(2 * SIZE))
    view = cv2.warpPerspective(image, m, (2 * SIZE, 2 * SIZE), borderMode=cv2.BORDER_REPLICATE)
    m = cv2.getPerspectiveTransform(box, grid(FINE * CELLS))
    at = cv2.perspectiveTransform(corners[None].astype(np.float32), m)[0]
    return camera(light(view.astype(np.float32), rng), rng), target([at], [], convex=True)


def replaced(image, corners, photos, real, rng):
    """Another document over the marked one, as large or larger, in the light that falls there -> image and corners."""
    face, alpha = mixed_face(photos, real, rng)
    h, w = face.shape[:2]
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    ends = rng.uniform(0, 1, 4) ** 2 * rng.choice([0.05, 0.5])
    larger = unit + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.stack(
        [ends[[0, 1, 1, 0]], ends[[2, 2, 3, 3]]], 1
    )
    at = cv2.perspectiveTransform(
        larger[None].astype(np.float32), cv2.getPerspectiveTransform(unit, corners.astype(np.float32))
    )[0]
    m = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), at)
    size = image.shape[1::-1]
    cover = cv2.warpPerspective(alpha, m, size).astype(np.float32)[..., None] / 255
    over = cv2.warpPerspective(face, m, size, flags=cv2.INTER_AREA).astype(np.float32)
    lit = cv2.resize(image, (size[0] // 8, size[1] // 8), interpolation=cv2.INTER_AREA)
    lit = cv2.resize(cv2.GaussianBlur(lit, (0, 0), rng.uniform(1, 4)), size).astype(np.float32)
    lit = lit / lit[cover[..., 0] > 0.5].mean(0) if (cover > 0.5).any() else np.ones_like(lit)
    over = over * np.clip(lit, 0.3, 1.7) ** rng.uniform(0, 1) * rng.uniform(0.6, 1.05)
    return np.clip(image * (1 - cover) + over * cover, 0, 255).astype(np.uint8), at


def seen_frames(root, views, photos, real=None):
    """Views of the marked frames that may be trained on; with `real`, two of three show another document there."""
    pictures, targets = [], []
    for row in seen_rows(root):
        image, corners = read(os.path.join(root, row["path"])), corners_of(row, kind=float)
        for view in range(views):
            rng, shown, at = generator(row["path"], view), image, corners
            if real and view % 3:
                shown, at = replaced(image, corners, photos, real, rng)
            picture, target = tilted(shown, at, rng)
            pictures.append(picture), targets.append(target)
    return np.stack(pictures), np.stack(targets)


def marked_frames(root):
    """Frames of `document_corners.csv` as the net reads them, and the document's map."""
    rows, pictures, targets = marked_rows(root), [], []
    for row in rows:
        image = read(os.path.join(root, row["path"]))
        h, w = image.shape[:2]
        corners = np.array([[float(row[f"x{k}"]) / w, float(row[f"y{k}"]) / h] for k in range(4)])
        pictures.append(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
        targets.append(mask_of([corners * CELLS * FINE], convex=True)[None])
    return pictures, targets, [row["document"] for row in rows]
