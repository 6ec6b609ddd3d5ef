// Subset-product tables over groups of bases (Pippenger's and Yao's idea, 1976), an accumulator per output
// and bit.
#include "paillier/simultaneous_powers.h"

#include <algorithm>
#include <array>
#include <string>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/parallel.h"

namespace smlp {
namespace {

constexpr std::size_t largest_group = 11;
// A row's tables that are read at random before the next ones are built, one at least: a core's own cache
// holds them, or most of one of a long modulus.
constexpr std::size_t cached_table_bytes = std::size_t{768} << 10;

std::size_t ceiling(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

// The rows and outputs of one tile.
struct Tile {
  std::size_t first_row, rows, first_output, outputs;
};

class Computation {
 public:
  Computation(const Lanes& lanes, std::span<const Integer> bases, const FixedIntegers& exponents,
              const PowersShape& shape)
      : lanes_(lanes), bases_(bases), exponents_(exponents), shape_(shape) {
    const PowersPlan plan = plan_powers(shape, lanes.lanes());
    splits_ = plan.splits;
    group_ = plan.group;
    chunk_ = ceiling(shape.bits, splits_);
    groups_ = ceiling(shape.inner * splits_, group_);
    largest_ = powers_tile(shape, plan, lanes.lanes(), lanes.words() * sizeof(Word));
  }

  std::vector<Integer> run() {
    std::vector<Integer> out(shape_.rows * shape_.outputs);
    for (std::size_t i = 0; i < shape_.rows; i += largest_.rows) {
      const std::size_t count = std::min(largest_.rows, shape_.rows - i);
      const WordBuffer split = split_bases(i, count);
      for (std::size_t j = 0; j < shape_.outputs; j += largest_.outputs)
        compute({i, count, j, std::min(largest_.outputs, shape_.outputs - j)}, split, out);
    }
    return out;
  }

 private:
  std::size_t words() const { return lanes_.words(); }

  // Residues: base[i][k]^(2^(u chunk)) at (i inner + k) splits + u.
  WordBuffer split_bases(std::size_t first_row, std::size_t rows) const {
    WordBuffer out(rows * shape_.inner * splits_ * words());
    const std::size_t count = rows * shape_.inner, width = lanes_.lanes();
    parallel_for(lanes_.blocks(count), [&](std::size_t b) {
      const std::size_t first = b * width, size = std::min(width, count - first);
      WordBuffer block(lanes_.block_words());
      lanes_.enter(block.data(), bases_.subspan(first_row * shape_.inner + first, size));
      for (std::size_t u = 0; u < splits_; ++u) {
        for (std::size_t s = 0; u > 0 && s < chunk_; ++s) lanes_.square(block.data(), block.data());
        std::array<Word*, most_lanes> to{};
        for (std::size_t k = 0; k < size; ++k) to[k] = out.data() + ((first + k) * splits_ + u) * words();
        lanes_.scatter(std::span(to).first(size), block.data());
      }
    });
    return out;
  }

  std::size_t group_size(std::size_t group) const {
    return std::min(group_, shape_.inner * splits_ - group * group_);
  }

  // Tables of 2^group residues for `count` groups from `first`: row by row, entry e the product over its
  // bits.
  void build_tables(const Tile& tile, const WordBuffer& split, std::size_t first, std::size_t count,
                    WordBuffer& tables) const {
    const std::size_t entries = std::size_t{1} << group_;
    const auto entry = [&](std::size_t pair, std::size_t e) {
      return tables.data() + (pair * entries + e) * words();
    };
    parallel_for(tile.rows * count, [&](std::size_t pair) {
      const std::size_t row = pair / count, group = first + pair % count;
      std::copy_n(lanes_.one(), words(), entry(pair, 0));
      const Word* base = split.data() + (row * shape_.inner * splits_ + group * group_) * words();
      for (std::size_t u = 0; u < group_size(group); ++u)
        std::copy_n(base + u * words(), words(), entry(pair, std::size_t{1} << u));
    });
    const std::size_t width = lanes_.lanes();
    for (std::size_t u = 1; u < group_; ++u) {
      // Only the last group can be smaller.
      const std::size_t full = group_size(first + count - 1) > u ? count : count - 1;
      const std::size_t subsets = (std::size_t{1} << u) - 1, jobs = tile.rows * full * subsets;
      parallel_for(lanes_.blocks(jobs), [&](std::size_t b) {
        std::array<const Word*, most_lanes> rest{}, base{};
        std::array<Word*, most_lanes> to{};
        const std::size_t size = std::min(width, jobs - b * width);
        for (std::size_t k = 0; k < size; ++k) {
          const std::size_t job = b * width + k, index = job / subsets, subset = 1 + job % subsets;
          const std::size_t pair = index / full * count + index % full;
          rest[k] = entry(pair, subset);
          base[k] = entry(pair, std::size_t{1} << u);
          to[k] = entry(pair, (std::size_t{1} << u) + subset);
        }
        WordBuffer blocks(2 * lanes_.block_words());
        Word *a = blocks.data(), *c = a + lanes_.block_words();
        lanes_.gather(a, std::span(rest).first(size));
        lanes_.gather(c, std::span(base).first(size));
        lanes_.multiply(a, a, c);
        lanes_.scatter(std::span(to).first(size), a);
      });
    }
  }

  std::span<const Limb> exponent(std::size_t row, std::size_t k, std::size_t output) const {
    return exponents_[((shape_.own_exponents ? row * shape_.inner : 0) + k) * shape_.outputs + output];
  }

  // The table entry of one output at each bit of a chunk.
  void indices(std::size_t row, std::size_t output, std::size_t group, std::uint32_t* out) const {
    std::fill_n(out, chunk_, 0);
    for (std::size_t u = 0; u < group_size(group); ++u) {
      const std::size_t v = group * group_ + u, lowest = v % splits_ * chunk_;
      const std::span<const Limb> e = exponent(row, v / splits_, output);
      const std::uint32_t flag = std::uint32_t{1} << u;
      for (std::size_t done = 0; done < chunk_; done += 64) {
        mp_limb_t word = word_at(e, lowest + done);
        for (std::size_t b = done; b < std::min(done + 64, chunk_); ++b, word >>= 1)
          out[b] |= flag & (0 - static_cast<std::uint32_t>(word & 1));
      }
    }
  }

  void compute(const Tile& tile, const WordBuffer& split, std::vector<Integer>& out) const {
    const std::size_t entries = std::size_t{1} << group_, width = lanes_.lanes(),
                      block = lanes_.block_words(), together = largest_.groups;
    WordBuffer tables(tile.rows * together * entries * words());
    const std::size_t outputs = tile.rows * tile.outputs;
    WordBuffer accumulators(lanes_.blocks(outputs) * chunk_ * block);
    for (std::size_t first = 0; first < groups_; first += together) {
      const std::size_t count = std::min(together, groups_ - first);
      build_tables(tile, split, first, count, tables);
      parallel_for(lanes_.blocks(outputs), [&](std::size_t b) {
        const std::size_t size = std::min(width, outputs - b * width);
        std::vector<std::uint32_t> index(count * size * chunk_);
        std::array<const Word*, most_lanes> row_tables{}, from{};
        const std::span<const Word* const> found = std::span(from).first(size);
        for (std::size_t k = 0; k < size; ++k) {
          const std::size_t o = b * width + k, row = o / tile.outputs;
          row_tables[k] = tables.data() + row * count * entries * words();
          for (std::size_t t = 0; t < count; ++t)
            indices(tile.first_row + row, tile.first_output + o % tile.outputs, first + t,
                    index.data() + (t * size + k) * chunk_);
        }
        const auto find = [&](std::size_t step) {  // the entries for bit step / count of table step % count
          for (std::size_t k = 0; k < size; ++k) {
            const std::size_t t = step % count, e = index[(t * size + k) * chunk_ + step / count];
            from[k] = row_tables[k] + (t * entries + e) * words();
          }
        };
        WordBuffer factor(block);
        find(0);
        for (std::size_t step = 0; step < chunk_ * count; ++step) {
          Word* accumulator = accumulators.data() + (b * chunk_ + step / count) * block;
          const bool starts = first == 0 && step % count == 0;
          lanes_.gather(starts ? accumulator : factor.data(), found);
          if (step + 1 < chunk_ * count) {
            find(step + 1);
            lanes_.prefetch(found);
          }
          if (!starts) lanes_.multiply(accumulator, accumulator, factor.data());
        }
      });
    }
    parallel_for(lanes_.blocks(outputs), [&](std::size_t b) {
      Word* power = accumulators.data() + (b * chunk_ + chunk_ - 1) * block;
      for (std::size_t p = chunk_ - 1; p-- > 0;) {
        lanes_.square(power, power);
        lanes_.multiply(power, power, accumulators.data() + (b * chunk_ + p) * block);
      }
      std::array<Integer, most_lanes> results;
      const std::size_t size = std::min(width, outputs - b * width);
      lanes_.leave(std::span(results).first(size), power);
      for (std::size_t k = 0; k < size; ++k) {
        const std::size_t o = b * width + k;
        out[(tile.first_row + o / tile.outputs) * shape_.outputs + tile.first_output + o % tile.outputs] =
            std::move(results[k]);
      }
    });
  }

  const Lanes& lanes_;
  std::span<const Integer> bases_;
  const FixedIntegers& exponents_;
  PowersShape shape_;
  std::size_t splits_, group_, chunk_, groups_;
  PowersTile largest_;
};

}  // namespace

PowersPlan plan_powers(const PowersShape& shape, std::size_t lanes) {
  PowersPlan best;
  if (shape.bits == 0 || shape.inner == 0) return best;
  const auto full = [&](std::size_t residues) {
    return static_cast<double>(ceiling(residues, lanes) * lanes);
  };
  const double outputs = full(shape.rows * shape.outputs);
  for (std::size_t splits = 1; splits <= std::min<std::size_t>(shape.bits, 64); ++splits) {
    const std::size_t chunk = ceiling(shape.bits, splits);
    if (splits > 1 && chunk == ceiling(shape.bits, splits - 1)) continue;
    const std::size_t bases = shape.inner * splits;
    const double squarings = full(shape.rows * shape.inner) * static_cast<double>((splits - 1) * chunk);
    for (std::size_t group = 1; group <= std::min(largest_group, bases); ++group) {
      const auto groups = static_cast<double>(ceiling(bases, group));
      double subsets = 0;
      for (std::size_t u = 1; u < group; ++u)
        subsets += full(shape.rows * ceiling(bases, group) * ((std::size_t{1} << u) - 1));
      const double accumulation = outputs * static_cast<double>(chunk) * (groups - 1);
      const double joining = outputs * 2 * static_cast<double>(chunk - 1);
      const double products = squarings + subsets + accumulation + joining;
      if (best.products == 0 || products < best.products) best = {splits, group, products};
    }
  }
  return best;
}

PowersTile powers_tile(const PowersShape& shape, const PowersPlan& plan, std::size_t lanes,
                       std::size_t residue_bytes) {
  if (shape.rows == 0 || shape.inner == 0 || shape.outputs == 0 || shape.bits == 0) return {};
  const std::size_t budget = powers_buffer_bytes / residue_bytes, entries = std::size_t{1} << plan.group,
                    chunk = ceiling(shape.bits, plan.splits), bases = shape.inner * plan.splits;
  PowersTile tile;
  tile.outputs = std::min(shape.outputs, std::max(lanes, budget / chunk / lanes * lanes));
  const std::size_t row_residues = std::max({chunk * tile.outputs, bases, entries});
  tile.rows =
      tile.outputs < shape.outputs ? 1 : std::clamp<std::size_t>(budget / row_residues, 1, shape.rows);
  const std::size_t cached = std::min(cached_table_bytes / residue_bytes, budget / tile.rows);
  tile.groups = std::clamp<std::size_t>(cached / entries, 1, ceiling(bases, plan.group));
  tile.residues =
      tile.rows * (bases + tile.groups * entries) + ceiling(tile.rows * tile.outputs, lanes) * lanes * chunk;
  return tile;
}

std::vector<Integer> simultaneous_powers(const Lanes& lanes, std::span<const Integer> bases,
                                         std::span<const Integer> exponents, PowersShape shape) {
  for (const Integer& exponent : exponents) {
    if (sgn(exponent) < 0) throw Error("simultaneous powers need exponents of at least 0");
    shape.bits = std::max(shape.bits, bit_length(exponent));
  }
  return simultaneous_powers(lanes, bases, FixedIntegers(exponents, limbs_for(shape.bits + 1)), shape);
}

std::vector<Integer> simultaneous_powers(const Lanes& lanes, std::span<const Integer> bases,
                                         const FixedIntegers& exponents, const PowersShape& shape) {
  const auto require_size = [](std::size_t got, std::size_t wanted, const char* what) {
    if (got != wanted)
      throw Error(std::string(what) + " number " + std::to_string(got) + ", not " + std::to_string(wanted));
  };
  require_size(bases.size(), shape.rows * shape.inner, "the bases of simultaneous powers");
  require_size(exponents.size(), (shape.own_exponents ? shape.rows : 1) * shape.inner * shape.outputs,
               "the exponents of simultaneous powers");
  if (shape.bits == 0 || bases.empty()) return std::vector<Integer>(shape.rows * shape.outputs, 1);
  return Computation(lanes, bases, exponents, shape).run();
}

}  // namespace smlp
