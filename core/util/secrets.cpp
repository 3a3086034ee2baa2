#include "core/util/secrets.hpp"

#include <algorithm>
#include <utility>

namespace mirror {

void Secrets::add(Secret secret) {
    lasting_.push_back(std::move(secret));
}

void Secrets::add_passing(Secret secret) {
    if (passing_.size() == most_passing) {
        passing_.pop_front();
    }
    passing_.push_back(std::move(secret));
}

std::string Secrets::redact(std::string_view text) const {
    std::string result(text);
    for (const auto* const secrets : {&lasting_, &passing_}) {
        for (const Secret& secret : *secrets) {
            result = secret.redact(result);
        }
    }
    return result;
}

std::string Secrets::mask(std::string_view text) const {
    std::string result(text);
    for (const auto* const secrets : {&lasting_, &passing_}) {
        for (const Secret& secret : *secrets) {
            if (secret.occurs_in(result)) {
                result = secret.redact(result);
            }
        }
    }
    return result;
}

bool Secrets::occurs_in(std::string_view text) const {
    const auto occurs = [text](const Secret& secret) { return secret.occurs_in(text); };
    return std::any_of(lasting_.begin(), lasting_.end(), occurs) ||
           std::any_of(passing_.begin(), passing_.end(), occurs);
}

}  // namespace mirror
