"""The graph and the records as values: uses, norms, attentions, residual blocks."""

from collections.abc import Mapping

from initlab.capture._attentions import Attentions, is_layer
from initlab.capture._chains import Links, added_heads, gates, heads, links, segments
from initlab.capture._graph import Graph
from initlab.capture._moments import is_zero
from initlab.capture._records import Records, UseRecord
from initlab.capture._residuals import Join, residual_joins
from initlab.spec import Block, NormUse, WeightUse

# What lies between layers and the activation of their sum.
_THROUGH = ("view", "shift", "scale", "dropout")
_ADDING = frozenset({*_THROUGH, "sum", "norm", "product", "average", "reduction"})


class Structure:
    """What a graph says of a model, worked out once.

    Attributes:
        uses, norms, attentions, choices, blocks: As in `Reading`.
    """

    def __init__(
        self, graph: Graph, records: Records, frozen: Mapping[str, bool]
    ) -> None:
        """Work it out.

        Args:
            graph: Of one forward pass.
            records: Of the same pass.
            frozen: Whether a parameter requires no gradient, by name.
        """
        self._graph, self._records = graph, records
        self._joins = residual_joins(graph, records)
        self._links = links(graph, records)
        self._block_of_node = self._innermost()
        softmaxes = Attentions(graph, records)
        self._roles = softmaxes.roles()
        self._consumers = graph.consumers()
        recurrent = {use.number for use in records.uses if use.role}
        for number, each in enumerate(self._links):
            # Gates bound a recurrent layer's output, so that its chain ends there.
            each.plain -= each.plain if number in recurrent else recurrent
        plain = [each.plain for each in self._links]
        self._segments, self._depths = segments(plain)
        self._heads = heads(graph, {join.node for join in self._joins})
        followed = {u for each in self._links for u in each.previous}
        self._heads -= followed
        self._given_out = {
            self._graph.nodes[n].use for n in map(self._seen, graph.outputs)
        }
        self._added = added_heads(
            graph, {number: records.uses[number].node for number in self._heads}
        )
        self._gates = gates(graph, records, [each.previous for each in self._links])
        self.norms = self._norms()
        self.blocks = self._blocks()
        self.attentions, self.choices = softmaxes.uses(), softmaxes.choices()
        ends = {use for block in self.blocks for use in block.ends}
        adapters = self._adapters()
        self.uses = tuple(
            self._use(record, own, ends, adapters, frozen)
            for record, own in zip(records.uses, self._links, strict=True)
        )

    def _seen(self, number: int) -> int:
        """Return the node of which another is a view."""
        node = self._graph.nodes[number]
        while node.kind == "view" and len(node.inputs) == 1:
            node = self._graph.nodes[node.inputs[0]]
        return node.number

    def head_of(self, node: int | None) -> int:
        """Return which use an output came out of: the last head below it; -1 if none.

        A use whose output a further layer is given is no head, but the output is its
        own.
        """
        if node is None:
            return -1
        below = [
            use.index
            for use in self.uses
            if self._graph.descends(node, self._records.uses[use.index].node)
        ]
        of_heads = [number for number in below if self.uses[number].head]
        return max(of_heads or below, default=-1)

    def _use(
        self,
        record: UseRecord,
        own: Links,
        ends: set[int],
        adapters: set[int],
        frozen: Mapping[str, bool],
    ) -> WeightUse:
        number = record.number
        role, parts = self._roles.get(number, ("", 1))
        layer = record.layer
        if parts > 1 and layer.packed == 1 and layer.shape[0] % parts == 0:
            layer = layer.model_copy(update={"packed": parts})
        return WeightUse(
            index=number,
            module=record.module,
            parameter=record.sources[0] if record.sources else "",
            sources=record.sources,
            bias=record.bias,
            operation=record.operation,
            layer=layer,
            stored_transposed=record.stored_transposed,
            derived=record.derived,
            role=record.role,
            calls=record.calls,
            activation=record.activation or "identity",
            negative_slope=record.negative_slope,
            source=own.source,
            normed=self._normed(record.node),
            norm_after=self._norm_after(record),
            joined=self._joined(record),
            norm_before=own.norm_before,
            previous=tuple(sorted(own.previous)),
            plain=tuple(sorted(own.plain)),
            averaged=tuple(sorted(own.averaged & own.plain)),
            segment=self._segments[number],
            depth=self._depths[number],
            block=self._block_of_node.get(record.node),
            branch_end=number in ends,
            stem=own.stem,
            mixed=own.mixed,
            head=number in self._heads,
            given_out=number in self._given_out,
            added=number in self._added,
            gate=number in self._gates,
            attends=role,
            frozen=all(frozen.get(name, False) for name in record.sources),
            adapter=number in adapters,
            tied=tuple(
                other.module
                for other in self._records.uses
                if other.number != number
                and other.sources == record.sources
                and other.operation != record.operation
            ),
            zero=is_zero(record.rows),
            silenced_by=record.silenced_by,
        )

    def _innermost(self) -> dict[int, int]:
        """Return, by node, the smallest block whose branch holds it."""
        found: dict[int, int] = {}
        order = sorted(
            range(len(self._joins)), key=lambda i: -len(self._joins[i].branch)
        )
        for index in order:
            for node in self._joins[index].branch:
                found[node] = index
        return found

    def _blocks(self) -> tuple[Block, ...]:
        return tuple(self._block(i, join) for i, join in enumerate(self._joins))

    def _block(self, index: int, join: Join) -> Block:
        graph, records = self._graph, self._records
        nodes = graph.nodes
        first, second, total = records.sums[join.node]
        if join.swapped:
            first, second = second, first
        on_branch = {n for n in join.branch if nodes[n].use is not None}
        uses = tuple(sorted({nodes[n].use for n in on_branch}))  # type: ignore[type-var]
        stops = [
            stop
            for stop, _ in graph.back(
                join.last, lambda node: is_layer(node) or node.number == join.source
            )
        ]
        outer = [
            other
            for other, each in enumerate(self._joins)
            if other != index and join.node in each.branch
        ]
        return Block(
            index=index,
            module=nodes[join.node].module,
            uses=uses,  # type: ignore[arg-type]
            ends=tuple(
                sorted({s.use for s in stops if s.use is not None
                        and s.number in join.branch})
            ),
            skip_uses=tuple(
                sorted({u for n in join.skip if (u := nodes[n].use) is not None})
            ),
            scales=tuple(
                records.scaled_by[n] for n in sorted(join.branch)
                if n in records.scaled_by
            ),
            norms=tuple(
                i for i, norm in enumerate(records.norms) if norm.node in join.branch
            ),
            outer=min(outer, key=lambda o: len(self._joins[o].branch), default=None),
            post_norm=self._sum_is_normed(join.node),
            skip_rms=first,
            branch_rms=second,
            sum_rms=total,
        )  # fmt: skip

    def _sum_is_normed(self, number: int) -> bool:
        """Whether a normalization on the trunk is all that reads a sum."""
        readers = [self._graph.nodes[n] for n in self._consumers[number]]
        while len(readers) == 1 and readers[0].kind in ("view", "dropout"):
            readers = [self._graph.nodes[n] for n in self._consumers[readers[0].number]]
        return len(readers) == 1 and readers[0].kind == "norm" and any(
            join.source == readers[0].number
            or join.source in self._consumers[readers[0].number]
            for join in self._joins
        )  # fmt: skip

    def _norms(self) -> tuple[NormUse, ...]:
        graph = self._graph
        found = []
        for record in self._records.norms:
            node = graph.nodes[record.node]
            before = {
                stop.use
                for below in graph.signal_inputs(node)
                for stop, _ in graph.back(below, is_layer)
                if stop.use is not None
            }
            after, ends = self._reached(record.node)
            found.append(
                NormUse(
                    module=record.module,
                    kind=record.kind,
                    parameter=record.gamma,
                    before=tuple(sorted(before)),
                    after=tuple(sorted(after)),
                    block=self._block_of_node.get(record.node),
                    branch_end=ends and record.node in self._block_of_node,
                    gamma_rms=record.gamma_rms,
                    gamma_zero=record.gamma_zero,
                    beta=record.beta,
                    beta_rms=record.beta_rms,
                )
            )
        return tuple(found)

    def _reached(self, number: int) -> tuple[set[int], bool]:
        """Return the uses that a node reaches through no other layer.

        Also whether the sum of its own block is reached before any of them.
        """
        own = self._block_of_node.get(number)
        last = None if own is None else self._joins[own].node
        todo, seen, found = [number], {number}, set()
        ends = False
        while todo:
            for above in self._consumers[todo.pop()]:
                node = self._graph.nodes[above]
                ends |= above == last
                if node.use is not None:
                    found.add(node.use)
                elif above not in seen:
                    seen.add(above)
                    if above != last:
                        todo.append(above)
        return found, ends and not found

    def _normed(self, number: int) -> bool:
        """Whether a normalization reads a layer's output before anything else does."""
        readers = self._consumers[number]
        for _ in range(8):
            nodes = [self._graph.nodes[n] for n in readers]
            if any(node.kind == "norm" for node in nodes):
                return True
            if len(nodes) != 1 or nodes[0].kind not in (
                "view", "shift", "scale", "dropout", "pool",
            ):  # fmt: skip
                return False
            readers = self._consumers[nodes[0].number]
        return False

    def _norm_after(self, record: UseRecord) -> int | None:
        """Return which normalization gives the activation after a use its numbers."""
        if record.activated is None:
            return None
        node = self._graph.nodes[record.activated]
        while node.kind != "norm":
            below = self._graph.signal_inputs(node)
            if len(below) != 1 or node.kind not in ("activation", *_THROUGH):
                return None
            node = self._graph.nodes[below[0]]
        norms = [norm.node for norm in self._records.norms]
        return norms.index(node.number) if node.number in norms else None

    def _joined(self, record: UseRecord) -> tuple[int, ...]:
        """Return the other uses whose outputs are added to one's before it is bent."""
        if record.activated is None:
            return ()
        found = {
            stop.use
            for stop, passed in self._graph.back(
                self._graph.nodes[record.activated].inputs[0], is_layer
            )
            if stop.use is not None and passed <= _ADDING
        }
        return tuple(sorted(found - {record.number}))

    def _adapters(self) -> set[int]:
        """Return the uses of low-rank paths beside one larger weight (LoRA)."""
        found: set[int] = set()
        for block in self.blocks:
            if len(block.skip_uses) != 1 or len(block.uses) != 2:
                continue
            beside = self._records.uses[block.skip_uses[0]].layer.shape
            down, up = (self._records.uses[u].layer.shape for u in block.uses)
            if 2 * down[0] <= min(beside[:2]) and up[0] == beside[0]:
                found.update(block.uses)
        return found
