// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension AttentiveProbes {
    /// Adds the gradients of the parameters, from those of the outputs to those of the query.
    ///
    /// The gradient of the key bias is exactly 0, because the bias adds the same to the scores of all tokens.
    func backward(_ features: [Matrix], _ session: ComputeSession) {
        linearGradients(features.count, session)
        mlpGradients(features.count, session)
        valueGradients(features.count, session)
        let state = activations
        session.forEach(features.count) { sample, scratch in
            let gradient = state.values(ofSample: sample)
            for (probe, own) in parameters.enumerated() {
                gradient.rows(probe * sizes.heads..<(probe + 1) * sizes.heads)
                    .scaleColumns(by: own[.norm1Weight])
            }
            gradient.centreRows()
            pooling.keyGradient(
                features[sample],
                sample: sample,
                gradient: gradient,
                into: state.sums(ofSample: sample),
                scratch: scratch
            )
        }
        keyGradients(features.count, session)
    }

    private func linearGradients(_ count: Int, _ session: ComputeSession) {
        let state = activations
        let ones = state.ones.rows(0..<count)
        forEachTile(sizes.outputs, session) { probe, columns in
            let gradients = gradients[probe]
            let outputs = state.outputs[probe].rows(0..<count).columns(columns)
            MatrixProduct.multiply(
                transposing: outputs,
                state.results[probe].rows(0..<count),
                into: gradients[.linearWeight].rows(columns),
                accumulating: true
            )
            MatrixProduct.multiply(
                transposing: ones,
                outputs,
                into: gradients[.linearBias].columns(columns),
                accumulating: true
            )
        }
        forEachTile(sizes.width, session) { probe, columns in
            MatrixProduct.multiply(
                state.outputs[probe].rows(0..<count),
                parameters[probe][.linearWeight].columns(columns),
                into: state.resultGradients[probe].rows(0..<count).columns(columns)
            )
        }
    }

    private func mlpGradients(_ count: Int, _ session: ComputeSession) {
        let state = activations
        let ones = state.ones.rows(0..<count)
        forEachTile(sizes.hidden, session) { probe, columns in
            let gradients = gradients[probe]
            let results = state.resultGradients[probe].rows(0..<count)
            let hidden = state.hiddenGradients[probe].rows(0..<count).columns(columns)
            MatrixProduct.multiply(
                results,
                parameters[probe][.mlpWeight].columns(columns),
                into: hidden
            )
            hidden.geluGradient(input: state.hidden[probe].rows(0..<count).columns(columns))
            MatrixProduct.multiply(
                transposing: hidden,
                state.normalised[probe].rows(0..<count),
                into: gradients[.hiddenWeight].rows(columns),
                accumulating: true
            )
            MatrixProduct.multiply(
                transposing: ones,
                hidden,
                into: gradients[.hiddenBias].columns(columns),
                accumulating: true
            )
            MatrixProduct.multiply(
                transposing: results,
                state.active[probe].rows(0..<count).columns(columns),
                into: gradients[.mlpWeight].columns(columns),
                accumulating: true
            )
        }
        forEachTile(sizes.width, session) { probe, columns in
            MatrixProduct.multiply(
                state.hiddenGradients[probe].rows(0..<count),
                parameters[probe][.hiddenWeight].columns(columns),
                into: state.pooledGradients[probe].rows(0..<count).columns(columns)
            )
            MatrixProduct.multiply(
                transposing: ones,
                state.resultGradients[probe].rows(0..<count).columns(columns),
                into: gradients[probe][.mlpBias].columns(columns),
                accumulating: true
            )
        }
        session.forEach(parameters.count) { probe, _ in
            let pooled = state.pooledGradients[probe].rows(0..<count)
            pooled.layerNormGradient(
                input: state.pooled[probe].rows(0..<count),
                weight: parameters[probe][.norm2Weight],
                epsilon: AttentiveProbeParameters.epsilon,
                weightGradient: gradients[probe][.norm2Weight],
                biasGradient: gradients[probe][.norm2Bias]
            )
            pooled.add(state.resultGradients[probe].rows(0..<count))
        }
    }

    /// From the gradients of the pooled elements to those of the sums after norm1.
    private func valueGradients(_ count: Int, _ session: ComputeSession) {
        let state = activations
        let ones = state.ones.rows(0..<count)
        forEachHead(session) { probe, columns, key, _ in
            let gradients = gradients[probe]
            let pooled = state.pooledGradients[probe].rows(0..<count).columns(columns)
            for bias in [AttentiveProbeParameters.Part.valueBias, .query] {
                MatrixProduct.multiply(
                    transposing: ones,
                    pooled,
                    into: gradients[bias].columns(columns),
                    accumulating: true
                )
            }
            let values = state.values(ofKey: key, samples: count)
            MatrixProduct.multiply(
                transposing: pooled,
                values,
                into: gradients[.valueWeight].rows(columns),
                accumulating: true
            )
            MatrixProduct.multiply(
                pooled,
                parameters[probe][.valueWeight].rows(columns),
                into: values
            )
        }
        forEachTile(sizes.width, session) { probe, columns in
            for key in probe * sizes.heads..<(probe + 1) * sizes.heads {
                let values = state.values(ofKey: key, samples: count).columns(columns)
                gradients[probe][.norm1Weight].columns(columns).addProducts(
                    values,
                    state.sums(ofKey: key, samples: count).columns(columns)
                )
                MatrixProduct.multiply(
                    transposing: ones,
                    values,
                    into: gradients[probe][.norm1Bias].columns(columns),
                    accumulating: true
                )
            }
        }
    }

    /// From the gradients of the keys to those of the weights that make them.
    private func keyGradients(_ count: Int, _ session: ComputeSession) {
        let state = activations
        let ones = state.ones.rows(0..<count)
        // The keys are not needed any more, and the gradients of the queries replace these.
        forEachHead(session) { probe, columns, key, scratch in
            let sum = state.keys.rows(key..<key + 1)
            MatrixProduct.multiply(
                transposing: ones,
                state.sums(ofKey: key, samples: count),
                into: sum,
                accumulating: false
            )
            let direction = scratch.matrix(.projected, rows: 1, columns: sizes.width)
            direction.copy(from: sum)
            direction.scaleColumns(by: parameters[probe][.norm1Weight])
            let asked = state.asked.rows(probe..<probe + 1).columns(columns)
            MatrixProduct.multiply(
                transposing: asked,
                direction,
                into: gradients[probe][.keyWeight].rows(columns),
                accumulating: true
            )
            MatrixProduct.multiply(
                direction,
                transposed: parameters[probe][.keyWeight].rows(columns),
                into: asked
            )
        }
        session.forEach(parameters.count) { probe, _ in
            let (own, gradients) = (parameters[probe], gradients[probe])
            let keys = probe * sizes.heads..<(probe + 1) * sizes.heads
            gradients[.norm1Weight].addProducts(
                state.keys.rows(keys),
                state.directions.rows(keys)
            )
            let asked = state.asked.rows(probe..<probe + 1)
            MatrixProduct.multiply(
                transposing: asked,
                own[.query],
                into: gradients[.queryWeight],
                accumulating: true
            )
            gradients[.queryBias].add(asked)
            MatrixProduct.multiply(
                asked,
                own[.queryWeight],
                into: gradients[.query],
                accumulating: true
            )
        }
    }
}
