// Memory for the texts of one page: appended to, never moved, freed as a whole.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace mirror {

/// Keeps copies of texts. Views stay valid when the arena is moved, and until it is destroyed
/// or cleared.
class TextArena {
  public:
    std::string_view keep(std::string_view text);

    /// Forgets all texts; keeps one block for reuse.
    void clear();

  private:
    static constexpr std::size_t block_size = std::size_t{32} * 1024;

    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t used_ = 0;      // of the last block
    std::size_t capacity_ = 0;  // of the last block
};

}  // namespace mirror
