"""The papers that the catalog cites."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One publication.

    Attributes:
        authors: Family names, as they sign.
        year: Of publication.
        title: In full.
        where: Journal, conference or publisher.
        link: A stable address: DOI, arXiv or the proceedings.

    Example:
        >>> print(BIBLIOGRAPHY["he2015"])  # doctest: +ELLIPSIS
        He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers: ...
    """

    authors: str
    year: int
    title: str
    where: str
    link: str

    def __str__(self) -> str:
        """Return the citation on one line."""
        return f"{self.authors} ({self.year}), {self.title}, {self.where}, {self.link}"


BIBLIOGRAPHY: Mapping[str, Reference] = MappingProxyType(
    {
        "burkardt2014": Reference(
            authors="Burkardt",
            year=2014,
            title="The Truncated Normal Distribution",
            where="Department of Scientific Computing, Florida State University",
            link="https://people.sc.fsu.edu/~jburkardt/presentations/truncated_normal.pdf",
        ),
        "glorot2010": Reference(
            authors="Glorot and Bengio",
            year=2010,
            title="Understanding the difficulty of training deep feedforward neural "
            "networks",
            where="AISTATS, PMLR 9",
            link="https://proceedings.mlr.press/v9/glorot10a",
        ),
        "goodfellow2016": Reference(
            authors="Goodfellow, Bengio and Courville",
            year=2016,
            title="Deep Learning, section 8.4",
            where="MIT Press",
            link="https://www.deeplearningbook.org",
        ),
        "he2015": Reference(
            authors="He, Zhang, Ren and Sun",
            year=2015,
            title="Delving Deep into Rectifiers: Surpassing Human-Level Performance "
            "on ImageNet Classification",
            where="ICCV",
            link="https://arxiv.org/abs/1502.01852",
        ),
        "keras2015": Reference(
            authors="Chollet et al.",
            year=2015,
            title="Keras: layer weight initializers",
            where="software",
            link="https://keras.io/api/layers/initializers/",
        ),
        "krizhevsky2012": Reference(
            authors="Krizhevsky, Sutskever and Hinton",
            year=2012,
            title="ImageNet Classification with Deep Convolutional Neural Networks",
            where="NeurIPS",
            link="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        ),
        "le2015": Reference(
            authors="Le, Jaitly and Hinton",
            year=2015,
            title="A Simple Way to Initialize Recurrent Networks of Rectified Linear "
            "Units",
            where="arXiv",
            link="https://arxiv.org/abs/1504.00941",
        ),
        "lecun1998": Reference(
            authors="LeCun, Bottou, Orr and Mueller",
            year=1998,
            title="Efficient BackProp",
            where="Neural Networks: Tricks of the Trade, Springer",
            link="https://doi.org/10.1007/3-540-49430-8_2",
        ),
        "rumelhart1986": Reference(
            authors="Rumelhart, Hinton and Williams",
            year=1986,
            title="Learning representations by back-propagating errors",
            where="Nature 323",
            link="https://doi.org/10.1038/323533a0",
        ),
        "saxe2014": Reference(
            authors="Saxe, McClelland and Ganguli",
            year=2014,
            title="Exact solutions to the nonlinear dynamics of learning in deep "
            "linear neural networks",
            where="ICLR",
            link="https://arxiv.org/abs/1312.6120",
        ),
    }
)
