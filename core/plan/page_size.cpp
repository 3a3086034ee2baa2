#include "core/plan/page_size.hpp"

#include <algorithm>

namespace mirror::plan {
namespace {

constexpr std::uint32_t first_patience = 16;
constexpr std::uint32_t most_patience = 4096;

// Between a size that passes and one that fails there is nothing worth a trial if they differ by
// less than one part in so many.
constexpr std::uint32_t near = 8;

}  // namespace

std::optional<std::uint32_t> PageSize::smaller_than(std::uint32_t size) {
    if (size <= smallest) {
        return std::nullopt;
    }
    return std::max(size / 4, smallest);
}

void PageSize::learn(std::uint32_t fails, std::uint32_t passes) {
    fails_ = fails;
    passes_ = passes;
    now_ = passes;
    full_pages_ = 0;
    patience_ = first_patience;
}

void PageSize::trial_failed(std::uint32_t size) {
    fails_ = std::min(fails_.value_or(size), size);
    if (size != now_) {
        return;  // several pages were on their way: one trial
    }
    now_ = passes_;
    full_pages_ = 0;
    patience_ = std::min(patience_ * 2, most_patience);
}

bool PageSize::served(std::uint32_t size, std::uint64_t records) {
    if (size != now_ || records < size) {
        return false;
    }
    if (now_ > passes_) {
        passes_ = now_;
        if (fails_ && *fails_ <= passes_) {
            fails_.reset();  // as it was once
        }
        full_pages_ = 0;
        patience_ = std::max(patience_ / 2, first_patience);
        return true;
    }
    if (passes_ < most_ && ++full_pages_ >= patience_) {
        full_pages_ = 0;
        now_ = next_trial();
    }
    return false;
}

// Halfway to what fails; if that is near, what failed is tried once more.
std::uint32_t PageSize::next_trial() const {
    const std::uint32_t doubled = passes_ * 2;
    if (!fails_) {
        return std::min(doubled, most_);
    }
    const std::uint32_t halfway = passes_ + (*fails_ - passes_) / 2;
    const bool is_near = *fails_ - passes_ <= passes_ / near;
    return std::min({is_near ? *fails_ : halfway, doubled, most_});
}

std::optional<PageSize::Known> PageSize::known() const {
    if (passes_ >= most_) {
        return std::nullopt;
    }
    return Known{passes_, fails_.value_or(most_)};
}

void PageSize::remember(const Known& known) {
    if (known.passes >= smallest && known.passes < most_ && known.fails > known.passes) {
        learn(known.fails, known.passes);
    }
}

bool FailedPage::replaced_by(std::uint64_t records, bool is_last) {
    left_ -= std::min(records, left_);
    return left_ == 0 || is_last;
}

}  // namespace mirror::plan
