#include "core/util/nearest_word.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace mirror {
namespace {

constexpr std::size_t longest_word = 64;
constexpr std::size_t shortest_beginning = 2;

// A third of the word may be wrong.
constexpr std::size_t letters_an_error = 3;

// The distance of Damerau and Levenshtein, in its restricted form: no letter is edited twice.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before_last(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::vector<std::size_t> current(right.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t wrong = left[i - 1] == right[j - 1] ? 0 : 1;
            current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + wrong});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                current[j] = std::min(current[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, current);
    }
    return last[right.size()];
}

// The one word that begins so.
std::optional<std::string> completed(std::string_view beginning,
                                     const std::vector<std::string>& known) {
    std::optional<std::string> found;
    for (const std::string& candidate : known) {
        if (candidate.starts_with(beginning)) {
            if (found) {
                return std::nullopt;
            }
            found = candidate;
        }
    }
    return found;
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string>& known) {
    if (word.empty() || word.size() > longest_word) {
        return std::nullopt;
    }
    if (word.size() >= shortest_beginning) {
        if (auto found = completed(word, known)) {
            return found;
        }
    }
    std::optional<std::string> nearest;
    std::size_t least = std::max<std::size_t>(word.size() / letters_an_error, 1) + 1;
    for (const std::string& candidate : known) {
        const std::size_t errors = distance(word, candidate);
        // In a word of two letters, one that is wrong is half of it.
        if (errors < least && errors * 2 < candidate.size()) {
            least = errors;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace mirror
