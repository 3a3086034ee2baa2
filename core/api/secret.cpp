#include "core/api/secret.hpp"

#include "core/api/query.hpp"

namespace mirror::api {
namespace {

constexpr std::string_view replacement = "[token]";

std::string replace_all(std::string_view text, std::string_view what) {
    std::string result;
    if (what.empty()) {
        return std::string(text);
    }
    for (;;) {
        const std::size_t at = text.find(what);
        if (at == std::string_view::npos) {
            return result.append(text);
        }
        result.append(text.substr(0, at)).append(replacement);
        text.remove_prefix(at + what.size());
    }
}

}  // namespace

std::string Secret::redact(std::string_view text) const {
    return replace_all(replace_all(text, text_), percent_encode(text_));
}

}  // namespace mirror::api
