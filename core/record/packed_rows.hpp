// Many rows in little memory: a window's rows wait in this form until they are stored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/row.hpp"
#include "core/record/text_pool.hpp"

namespace mirror {

/// Rows in the order in which they were added, with texts of their own: some 30 to 50 bytes
/// for an impression, where a Row and its texts take 400. Integers are kept by how they differ from
/// the row before, and each entry of a dictionary once.
class PackedRows {
  private:
    /// What a row's integers are told by: those of the row before, or of the last one that had
    /// them.
    struct Integers {
        std::int64_t id = 0;
        std::int64_t time = 0;
        std::array<std::int64_t, most_integers> integers{};
    };

  public:
    /// Adds rows whose texts stay where they are for the length of the call. Those of their entries
    /// are in `entries`, which is kept then; if it is null, they are copied like all others.
    void add(std::span<const Row> rows, const std::shared_ptr<const TextPool>& entries = nullptr);

    /// Takes the row out that was added as number `place`, from 0.
    void remove(std::size_t place);

    /// To be called after the last row: frees what only adding needs.
    void seal();

    /// Rows that were added, and those that are still there.
    std::size_t added() const { return added_; }
    std::size_t size() const { return added_ - removed_count_; }

    /// The distinct entries in a slot of the rows, absent ones too; one that came from several
    /// pools may be there several times. An entry keeps its place in the list.
    std::span<const Entry> entries(std::size_t slot) const { return numbered_[slot].entries(); }

    /// Goes through the rows. The rows must stay where they are meanwhile; the views that it gives
    /// are good for as long as they do.
    class Reader {
      public:
        explicit Reader(const PackedRows& rows) : rows_(&rows) {}

        /// The next row; null after the last one. It is good until the next call.
        const Row* next();

        /// The place of that row's entry in entries(slot).
        std::size_t entry(std::size_t slot) const { return numbers_[slot]; }

        /// The number as which that row was added, for remove().
        std::size_t place() const { return place_ - 1; }

      private:
        std::size_t unpack(const char* begin);

        const PackedRows* rows_;
        std::size_t block_ = 0;
        std::size_t at_ = 0;     // in the block
        std::size_t place_ = 0;  // of the next row
        Integers last_;
        Row row_;
        std::array<std::size_t, most_entries> numbers_{};
    };

    Reader read() const { return Reader(*this); }

  private:
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t used = 0;
        std::size_t size = 0;
    };
    /// The entries of one slot, each once, told apart by the places of their texts.
    class Numbered {
      public:
        std::size_t number_of(const Entry& entry);
        std::span<const Entry> entries() const { return entries_; }
        void seal() { slots_ = {}; }

      private:
        std::size_t slot_of(const Entry& entry) const;
        void grow();

        std::vector<Entry> entries_;
        std::vector<std::uint32_t> slots_;  // numbers, and one more; 0: free
    };

    Entry copy_of(const Entry& entry);
    static unsigned present_in(const Row& row);
    void pack(const Row& row, const std::array<std::size_t, most_entries>& numbers);
    void keep_packed();

    std::vector<Block> blocks_;
    std::array<Numbered, most_entries> numbered_;
    std::vector<std::shared_ptr<const TextPool>> pools_;  // in which their texts are
    std::shared_ptr<TextPool> own_pool_;                  // the one of rows that came without
    std::size_t added_ = 0;
    std::vector<bool> removed_;  // by place; shorter than that if nothing was taken out
    std::size_t removed_count_ = 0;
    Integers last_;
    std::string packed_;  // of the row at hand
};

}  // namespace mirror
