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
        "balduzzi2017": Reference(
            authors="Balduzzi, Frean, Leary, Lewis, Ma and McWilliams",
            year=2017,
            title="The Shattered Gradients Problem: If resnets are the answer, "
            "then what is the question?",
            where="ICML, PMLR 70",
            link="https://arxiv.org/abs/1702.08591",
        ),
        "burkardt2014": Reference(
            authors="Burkardt",
            year=2014,
            title="The Truncated Normal Distribution",
            where="Department of Scientific Computing, Florida State University",
            link="https://people.sc.fsu.edu/~jburkardt/presentations/truncated_normal.pdf",
        ),
        "fernandez2025": Reference(
            authors="Fernandez-Hernandez, Mestre, Dolz, Duato and Quintana-Orti",
            year=2025,
            title="Sinusoidal Initialization, Time for a New Start",
            where="NeurIPS",
            link="https://arxiv.org/abs/2505.12909",
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
        "heek2020": Reference(
            authors="Heek et al.",
            year=2020,
            title="Flax: A neural network library and ecosystem for JAX",
            where="software",
            link="https://flax.readthedocs.io/en/latest/api_reference/flax.linen/layers.html",
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
        "martens2010": Reference(
            authors="Martens",
            year=2010,
            title="Deep learning via Hessian-free optimization",
            where="ICML",
            link="https://www.cs.toronto.edu/~jmartens/docs/Deep_HessianFree.pdf",
        ),
        "mishkin2016": Reference(
            authors="Mishkin and Matas",
            year=2016,
            title="All you need is a good init",
            where="ICLR",
            link="https://arxiv.org/abs/1511.06422",
        ),
        "paszke2019": Reference(
            authors="Paszke et al.",
            year=2019,
            title="PyTorch: An Imperative Style, High-Performance Deep Learning "
            "Library",
            where="NeurIPS",
            link="https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html",
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
        "sitzmann2020": Reference(
            authors="Sitzmann, Martel, Bergman, Lindell and Wetzstein",
            year=2020,
            title="Implicit Neural Representations with Periodic Activation Functions",
            where="NeurIPS",
            link="https://arxiv.org/abs/2006.09661",
        ),
        "xiao2018": Reference(
            authors="Xiao, Bahri, Sohl-Dickstein, Schoenholz and Pennington",
            year=2018,
            title="Dynamical Isometry and a Mean Field Theory of CNNs: How to "
            "Train 10,000-Layer Vanilla Convolutional Neural Networks",
            where="ICML, PMLR 80",
            link="https://arxiv.org/abs/1806.05393",
        ),
        "zagoruyko2017": Reference(
            authors="Zagoruyko and Komodakis",
            year=2017,
            title="DiracNets: Training Very Deep Neural Networks Without Skip-"
            "Connections",
            where="arXiv",
            link="https://arxiv.org/abs/1706.00388",
        ),
        "zhao2022": Reference(
            authors="Zhao, Schaefer and Anandkumar",
            year=2022,
            title="ZerO Initialization: Initializing Neural Networks with only "
            "Zeros and Ones",
            where="TMLR",
            link="https://arxiv.org/abs/2110.12661",
        ),
    }
)
