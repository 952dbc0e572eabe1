// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The vector kernels, which must be C to be compiled for several instruction sets. Every kernel is one
// plain C loop; its first argument selects the copy to run, so that there is no global state and a test
// can compare the copies.
//
// Matrices are row-major float32. A stride is the distance between the starts of two rows, in elements.
// No kernel checks its arguments: the callers in ZooTensor do.

#ifndef AMI_CKERNELS_H
#define AMI_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The instruction sets that kernels are compiled for, from the portable one to the fastest.
enum ami_cpu {
    ami_cpu_portable = 0,
    ami_cpu_avx2 = 1,
    ami_cpu_avx512 = 2,
};

/// The fastest copy that this processor and its operating system can run.
enum ami_cpu ami_cpu_detect(void);

/// The number of processors that the scheduler may run this process on, at least 1.
int ami_available_processors(void);

/// The number of columns in one panel of a packed matrix: 2 vectors.
size_t ami_panel_width(enum ami_cpu cpu);

/// Packs a matrix B [depth, columns] that is stored transposed, [columns, depth], for ami_multiply_packed:
/// element (p, j) goes to output[(j / w) * panel_stride + p * w + j % w] with w = panel_width and panel_stride at
/// least w * depth. The last panel is padded with zeros, so that output has round_up(columns, w) / w panels.
void ami_pack_transposed(const float *input, size_t stride, size_t columns, size_t depth,
                         size_t panel_width, size_t panel_stride, float *output);

/// Packs a matrix [depth, columns] that is not transposed, with consecutive panels; otherwise like
/// ami_pack_transposed.
void ami_pack_columns(const float *input, size_t stride, size_t columns, size_t depth,
                      size_t panel_width, float *output);

/// output [rows, columns] = left [rows, depth] * right, or output + left * right; `right` is packed with the
/// panel width of the same `cpu`.
void ami_multiply_packed(enum ami_cpu cpu, const float *left, size_t left_stride, const float *right,
                         float *output, size_t output_stride, size_t rows, size_t columns,
                         size_t depth, bool accumulate);

/// The number of rows in one tile of a packed left matrix.
size_t ami_tile_height(enum ami_cpu cpu);

/// output [rows, columns] = left [rows, depth] * right, or output + left * right. `right` is packed with the
/// panel width of the same `cpu`; `left` is packed by ami_pack_transposed with the tile height and tile_stride
/// as panel_stride (its rows are the columns there).
void ami_multiply_both_packed(enum ami_cpu cpu, const float *left, size_t tile_stride,
                              const float *right, float *output, size_t output_stride, size_t rows, size_t columns, size_t depth,
                              bool accumulate);

/// output = (input - mean) / sqrt(variance + epsilon) * weight + bias, row by row, with the biased
/// variance. `input` and `output` may be the same matrix.
void ami_layer_norm(enum ami_cpu cpu, const float *input, size_t input_stride, float *output,
                    size_t output_stride, size_t rows, size_t columns, const float *weight,
                    const float *bias, float epsilon);

/// x = gelu(x + bias) in place, with gelu(v) = v/2 (1 + erf(v / sqrt 2)), a few units in the last place
/// from exact wherever the result is a normal number. `bias` may be null.
void ami_bias_gelu(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns,
                   const float *bias);

/// x = x + bias in place, with the same bias for every row.
void ami_add_bias(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns,
                  const float *bias);

/// x = exp(scale (x - max of its row)) in place, and sums[row] = the sum of the new row. ami_divide_rows
/// divides by the sum, because that is cheaper after the product with the values.
void ami_softmax_rows(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns,
                      float scale, float *sums);

/// x[row] = x[row] / divisors[row] in place.
void ami_divide_rows(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns,
                     const float *divisors);

/// Splits rows of concatenated heads into one matrix per head, adds a bias and rotates pairs of elements.
///
/// input is [rows, heads * head_width]; output element (head, row, j) is at
/// output[head * head_stride + row * head_width + j]. With v = input + bias, element j < turned becomes
/// v[j] cosines[row, j] + w[j] sines[row, j], where w[2i] = -v[2i+1] and w[2i+1] = v[2i]; the others are copied.
/// cosines and sines are [rows, turned], turned is even and at most head_width. `bias` may be null.
void ami_split_heads(enum ami_cpu cpu, const float *input, size_t input_stride, const float *bias,
                     float *output, size_t head_stride, size_t rows, size_t heads, size_t head_width,
                     size_t turned, const float *cosines, const float *sines);

/// means[row] = the mean of a row, and inverses[row] = 1 / sqrt(variance + epsilon), with the biased variance.
void ami_row_statistics(enum ami_cpu cpu, const float *x, size_t stride, size_t rows, size_t columns, float epsilon,
                        float *means, float *inverses);

/// The gradient of a layer normalisation. With `gradient` that of its output, stores that of its input to `output`, and adds
/// those of the weight and of the bias to `weight_gradient` and `bias_gradient`. `output` may be `gradient`.
void ami_layer_norm_gradient(enum ami_cpu cpu, const float *input, size_t input_stride, const float *gradient,
                             size_t gradient_stride, float *output, size_t output_stride, size_t rows, size_t columns,
                             const float *weight, float epsilon, float *weight_gradient, float *bias_gradient);

/// gradient = gradient * gelu'(x) in place.
void ami_gelu_gradient(enum ami_cpu cpu, const float *x, size_t stride, float *gradient, size_t gradient_stride,
                       size_t rows, size_t columns);

/// The gradient of softmax(scale s) by s, in place: gradient = scale * weights * (gradient - the sum of weights * gradient of
/// the row), with `weights` the softmax.
void ami_softmax_gradient(enum ami_cpu cpu, const float *weights, size_t stride, float *gradient, size_t gradient_stride,
                          size_t rows, size_t columns, float scale);

/// x[row][j] = x[row][j] * factors[j] in place.
void ami_scale_columns(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns, const float *factors);

/// x = x - the mean of its row, in place.
void ami_centre_rows(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns);

/// x[row][j] = x[row][j] - left[row] * right in place, with left [rows, depth] and right [depth].
void ami_subtract_products(enum ami_cpu cpu, float *x, size_t stride, size_t rows, size_t columns, const float *left,
                           size_t left_stride, const float *right, size_t depth);

/// sums[j] += the sum over the rows of left[row][j] * right[row][j].
void ami_add_products(enum ami_cpu cpu, const float *left, size_t left_stride, const float *right, size_t right_stride,
                      size_t rows, size_t columns, float *sums);

/// The constants of one step of AdamW.
struct ami_adamw_step {
    /// What the gradient is multiplied with.
    float gradient_scale;
    /// 1 - beta1 and 1 - beta2.
    float first_share, second_share;
    /// 1 - learning rate * weight decay.
    float kept;
    /// The learning rate over 1 - beta1^t.
    float rate;
    /// 1 / sqrt(1 - beta2^t).
    float root_scale;
    float epsilon;
};

/// One step of AdamW with decoupled weight decay; `first` and `second` are the means of the gradient and of its square.
/// Sets `gradient` to 0.
void ami_adamw(enum ami_cpu cpu, float *parameters, float *gradient, float *first, float *second, size_t count,
               const struct ami_adamw_step *step);

/// Widens bfloat16 to float32, exactly. `input` needs no alignment.
void ami_widen_bf16(enum ami_cpu cpu, const void *input, float *output, size_t count);

/// Widens IEEE half precision to float32, exactly, subnormals included. `input` needs no alignment.
void ami_widen_f16(enum ami_cpu cpu, const void *input, float *output, size_t count);

// The kernels below exist once: their results do not depend on the processor, whose fused multiplications round
// otherwise.

/// sums[j] += the sum over the included rows of x[row][j], or of (x[row][j] - centre[j])^2 unless `centre` is NULL.
void ami_column_sums(const float *x, size_t stride, size_t rows, size_t columns, const bool *included,
                     const double *centre, double *sums);

/// output[row][j] = (x[row][j] - mean[j]) / scale[j], and 0 in rows that are not included.
void ami_standardise_rows(const float *x, size_t stride, size_t rows, size_t columns, const bool *included,
                          const double *mean, const double *scale, float *output, size_t output_stride);

/// The cross-entropy of rows of logits, summed. Replaces each logit with its derivative: the probability, less 1 for
/// the class of the row. Rows with the class -1 count nothing, and become 0.
double ami_softmax_residuals(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *classes);

/// Adds candidates to the `wanted` nearest of a query, which are in descending order of similarity, then ascending
/// order of index. The similarity of candidate first + j is similarities[j] / norms[j], or 0 where the norm is 0. Returns
/// how many there are now, of `found` before.
size_t ami_keep_nearest(const float *similarities, const float *norms, size_t count, int64_t first, size_t wanted,
                        float *nearest, int64_t *indices, size_t found);

#endif
