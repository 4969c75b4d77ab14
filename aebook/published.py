"""Results of other courses, as they were published."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A result as it was published, with the entry of references.bib that it comes from."""

    value: float
    metric: str
    setting: str
    citation: str


PUBLISHED = {
    "source_dense": Published(0.1631, "validation BCE", "MNIST, dense, 36 numbers, 10 epochs", "keraspp"),
    "source_conv": Published(0.0912, "validation BCE", "MNIST, convolutional, 49 numbers, 20 epochs", "keraspp"),
    "blog_dense": Published(0.09, "BCE", "MNIST, dense, 32 numbers, 50 epochs", "chollet2016building"),
    "blog_conv": Published(0.094, "BCE", "MNIST, convolutional, 128 numbers, 50 epochs", "chollet2016building"),
    "book_dense": Published(0.0132, "MSE", "Fashion-MNIST, dense with 100 and 30 numbers, 20 epochs", "geron2022hands"),
    "book_conv": Published(0.0121, "MSE", "Fashion-MNIST, convolutional, 30 numbers, 10 epochs", "geron2022hands"),
}
"""The validation losses of ``keraspp`` are those of the code repository of the source's textbook, chapter 6."""
