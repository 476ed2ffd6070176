"""A scikit-learn style estimator, for who wants embeddings and nothing else.

Importing this module imports scikit-learn, which `import jdgnn` does not.
"""

import re
import warnings
from typing import Any, Self

import jax
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from jdgnn.checks import check_count, check_flag
from jdgnn.emulation.collapse import COLLAPSED
from jdgnn.emulation.history import History
from jdgnn.emulation.run import run
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.evaluation.own_features import beside_own_features
from jdgnn.network import Identifiers, Network, as_network, from_edges
from jdgnn.network.arguments import checked_node_names
from jdgnn.network.by_name import has_names
from jdgnn.network.conversion.scipy_matrices import entries_of
from jdgnn.network.identifiers import identifier
from jdgnn.network.narrowing import narrowing_notes
from jdgnn.network.weights import unused_weights
from jdgnn.recipe import TICKS, recipe

OWN_TICKS = 100
"""Of an emulator of one's own, if nothing is said."""


class NodeEmbedding(BaseEstimator):
    """Embeds the nodes of a network, each of which learns by itself and from its peers.

    `fit` takes a network: a `jdgnn.Network`, a PyTorch Geometric `Data`, a networkx graph or a `jraph.GraphsTuple`. Or
    it takes features [N, F0] and, beside them, the links as `adjacency` or `edges`; so it can be the last step of a
    pipeline that prepares features: `pipeline.fit_transform(X, nodeembedding__adjacency=A)`.

    There is no `transform`, as in scikit-learn's `TSNE`: every node has a model of its own, and what has been learned
    is the nodes' embeddings. A node that was not there has none, and to encode it by the model of another would be
    something else than what the network does. So nothing can stand behind this step in a pipeline; give `embeddings_`
    to a classifier. An estimator can be pickled unless it has an emulator, which may hold any function.

    Args:
      emulator: how nodes learn, a `jdgnn.Emulator`; None for `jdgnn.recipe`.
      ticks: how long; the recipe merges in the last of them. None for 260, or 100 with an emulator.
      width: columns of what is learned by the recipe, up to 40 own features included; with an emulator, its layers say.
      own_features: columns of a node's own features beside what it has learned, and its degree, by
        `jdgnn.evaluation.beside_own_features`; None for all features, or 0 with an emulator.
      record_every: ticks whose number is a multiple of this are measured.
      seed: what all that is random follows from.

    Attributes:
      embeddings_: one vector for each node [N, W].
      history_: what was recorded, a `jdgnn.History`.
      network_: the network that was learned on.
      n_features_in_: F0.
      feature_names_in_: names of the features, where X was a data frame with names of columns.

    Example:
      >>> import jdgnn
      >>> network = jdgnn.generators.ring(12, num_features=4)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> NodeEmbedding(emulator, ticks=5).fit_transform(network).shape
      (12, 8)
    """

    def __init__(
        self,
        emulator: Emulator | None = None,
        *,
        ticks: int | None = None,
        width: int = 128,
        own_features: int | None = None,
        record_every: int = 10,
        seed: int = 0,
    ) -> None:
        self.emulator = emulator
        self.ticks = ticks
        self.width = width
        self.own_features = own_features
        self.record_every = record_every
        self.seed = seed

    def fit(self, X: Any, y: Any = None, *, adjacency: Any = None, edges: Any = None, undirected: bool = False) -> Self:
        """Has the nodes of a network learn.

        Args:
          X: a network, or features [N, F0], dense or sparse. The index of a data frame names the nodes, unless it is
            the usual 0, 1, …; the network and `embeddings_` keep the order of the rows.
          y: not read: nodes learn without labels.
          adjacency: with features, a SciPy sparse matrix [N, N]; an entry at [u, v] says that u sends to v. Its rows
            are in the order of X; where the index of X is 0, …, N - 1 in another order, row u is the node u.
          edges: with features, in place of `adjacency`: who sends, and who receives [2, E], or a data frame of these
            two columns; by the names in the index of X, or by the numbers of its rows.
          undirected: whether `edges` holds one direction of each link, so that the other is added.

        Returns:
          The estimator.

        Raises:
          InputError: there is no network, or two, or a parameter is invalid.

        Warns:
          UserWarning: embeddings have collapsed to hardly more than one direction; features lose values in the type
            that nodes compute in; or entries of `adjacency` differ, which nothing reads.
        """
        del y
        check_flag("undirected", undirected)
        network = self._network(X, adjacency, edges, undirected)
        for note in narrowing_notes(network.features, network.feature_names):
            warnings.warn(note, UserWarning, stacklevel=2)
        emulator, ticks, own = self._how(network.num_features)
        check_count("seed", self.seed, minimum=0)
        state = emulator.init(jax.random.key(self.seed), network)
        state, history = run(emulator, state, network, ticks, record_every=self.record_every)
        _warn_of_collapse(history)
        embeddings = emulator.embeddings(state)
        self.embeddings_: NDArray[np.floating] = beside_own_features(embeddings, network, own) if own else embeddings
        self.history_: History = history
        self.network_: Network = network
        self.n_features_in_: int = network.num_features
        return self

    def fit_transform(
        self, X: Any, y: Any = None, *, adjacency: Any = None, edges: Any = None, undirected: bool = False
    ) -> NDArray[np.floating]:
        """Has the nodes of a network learn, and gives their embeddings; arguments are those of `fit`.

        Returns:
          One vector for each node [N, W].

        Raises:
          InputError: as `fit` does.
        """
        return self.fit(X, y, adjacency=adjacency, edges=edges, undirected=undirected).embeddings_

    def __sklearn_clone__(self) -> Self:
        # parts of an emulator are never changed, and a copy of them would be compiled again
        return type(self)(**self.get_params(deep=False))

    def _network(self, X: Any, adjacency: Any, edges: Any, undirected: bool) -> Network:
        if undirected and edges is None:
            raise InputError("undirected: got True without edges; a matrix or a network says both directions itself")
        if adjacency is not None and edges is not None:
            raise InputError("edges: got them beside adjacency; give the links once")
        is_table = isinstance(X, np.ndarray | list | tuple) or hasattr(X, "iloc") or hasattr(X, "toarray")
        if isinstance(X, tuple) and hasattr(X, "_fields"):  # a GraphsTuple
            is_table = False
        if not is_table:
            if adjacency is not None or edges is not None:
                raise InputError(f"X: got {type(X).__name__} with links of its own, and adjacency or edges beside it")
            self.__dict__.pop("feature_names_in_", None)
            return as_network(X)
        if adjacency is None and edges is None:
            raise InputError(
                "X: got features without links; give fit(X, adjacency=...) or fit(X, edges=...), or a network as X"
            )
        names = tuple(map(identifier, X.index)) if has_names(X) else ()
        features = validate_data(self, X, dtype=[np.float64, np.float32], accept_sparse="csr")
        features = features.toarray() if hasattr(features, "toarray") else features
        nodes = Identifiers(checked_node_names("X: its index", names), len(features))
        senders, receivers = _ends_of_matrix(adjacency, nodes) if edges is None else _ends(edges, nodes)
        columns = tuple(getattr(self, "feature_names_in_", ()))
        return from_edges(senders, receivers, features, undirected=undirected, node_names=names, feature_names=columns)

    def _how(self, num_features: int) -> tuple[Emulator, int, int]:
        """How nodes learn, how long, and how many own features stand beside that."""
        if self.ticks is not None:
            check_count("ticks", self.ticks)
        if self.own_features is not None:
            check_count("own_features", self.own_features, minimum=0)
        if self.emulator is None:
            found = recipe(num_features, self.width, ticks=TICKS if self.ticks is None else self.ticks)
            emulator, ticks, own = found.emulator, found.ticks, found.own_features
        elif isinstance(self.emulator, Emulator):
            emulator, ticks, own = self.emulator, self.ticks or OWN_TICKS, 0
        else:
            raise InputError(f"emulator: expected a jdgnn.Emulator, or None, got {type(self.emulator).__name__}")
        return emulator, ticks, own if self.own_features is None else self.own_features


def _ends(edges: Any, nodes: Identifiers) -> Any:
    """The rows of who sends and who receives."""
    ends = edges.to_numpy().T if hasattr(edges, "columns") else np.asarray(edges)  # of a frame, a column is an end
    if ends.ndim != 2 or len(ends) != 2:
        hint = "; transpose it" if ends.ndim == 2 and ends.shape[1] == 2 else ""
        raise InputError(f"edges: expected who sends and who receives, [2, edges], got shape {ends.shape}{hint}")
    return nodes.rows("edges", ends.ravel()).reshape(ends.shape) if nodes.names else ends


def _ends_of_matrix(adjacency: Any, nodes: Identifiers) -> Any:
    """The same of a matrix, whose rows are called 0, ..., N - 1 where nodes have these names."""
    try:
        senders, receivers, weights = entries_of(adjacency)
    except InputError as error:
        raise InputError(re.sub("^matrix:", "adjacency:", str(error))) from error
    if adjacency.shape[0] != nodes.num_nodes:
        raise InputError(f"adjacency: describes {adjacency.shape[0]} nodes, and X {nodes.num_nodes}; give one row each")
    if unused_weights({"adjacency": weights}):
        warnings.warn("adjacency: its entries differ; each is a link, whatever it is", UserWarning, stacklevel=4)
    if set(nodes.names) != set(map(str, range(nodes.num_nodes))):
        return senders, receivers
    row = nodes.rows("adjacency", range(nodes.num_nodes))
    return row[senders], row[receivers]


def _warn_of_collapse(history: History) -> None:
    if len(history) and (history.effective_rank[-1] < COLLAPSED).any():
        ranks = ", ".join(f"{rank:.1f}" for rank in history.effective_rank[-1])
        warnings.warn(
            f"embeddings lie in hardly more than one direction (effective rank by layer: {ranks}); scale the features, "
            "as sklearn.preprocessing.StandardScaler does, or write other ticks",
            UserWarning,
            stacklevel=3,
        )
