// Many impressions in little memory: a window's rows wait in this form until they are stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/record/impression.hpp"
#include "core/record/text_arena.hpp"

namespace mirror {

/// Rows in the order in which they were added, with texts of their own: some 30 to 50 bytes a row
/// where an Impression and its texts take 250. Integers are kept by how they differ from the row
/// before, and each pair of user agent and device once.
class PackedRows {
  private:
    /// What a row's integers are told by: those of the row before, or of the last one that had
    /// them.
    struct Integers {
        std::int64_t id = 0;
        std::int64_t time = 0;
        std::int64_t mailing = 0;
        std::int64_t destination = 0;
        std::int64_t profile = 0;
        std::int64_t subprofile = 0;
    };

  public:
    /// A user agent and its device.
    using Agent = std::pair<std::optional<std::string_view>, std::optional<std::string_view>>;

    /// Adds rows whose texts stay where they are for the length of the call.
    void add(std::span<const Impression> rows);

    /// Takes the row out that was added as number `place`, from 0.
    void remove(std::size_t place);

    /// To be called after the last row: frees what only adding needs.
    void seal() { agent_numbers_ = {}; }

    /// Rows that were added, and those that are still there.
    std::size_t added() const { return added_; }
    std::size_t size() const { return added_ - removed_count_; }

    /// Pairs of user agent and device, absent ones too. A pair keeps its place in the list.
    std::span<const Agent> agents() const { return agents_; }

    /// Goes through the rows. The rows must stay where they are meanwhile; the views that it gives
    /// are good for as long as they do.
    class Reader {
      public:
        explicit Reader(const PackedRows& rows) : rows_(&rows) {}

        /// The next row; null after the last one. It is good until the next call.
        const Impression* next();

        /// The place of that row's pair in agents().
        std::size_t agent() const { return agent_; }

      private:
        const PackedRows* rows_;
        std::size_t block_ = 0;
        std::size_t at_ = 0;     // in the block
        std::size_t place_ = 0;  // of the next row
        Integers last_;
        Impression row_;
        std::size_t agent_ = 0;
    };

    Reader read() const { return Reader(*this); }

  private:
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t used = 0;
        std::size_t size = 0;
    };
    struct AgentHash {
        std::size_t operator()(const Agent& agent) const;
    };
    class RecentAgents;

    void pack(const Impression& row, std::size_t agent);
    std::size_t number_of(const Agent& agent);

    std::vector<Block> blocks_;
    std::vector<Agent> agents_;
    std::unordered_map<Agent, std::size_t, AgentHash> agent_numbers_;
    TextArena agent_texts_;
    std::size_t added_ = 0;
    std::vector<bool> removed_;  // by place; shorter than that where nothing was taken out
    std::size_t removed_count_ = 0;
    Integers last_;
    std::string packed_;  // of the row at hand
};

}  // namespace mirror
