// How many records to ask for in one page. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace mirror::plan {

/// A server may fail to deliver large pages: its balancer's time limit, say. So a page that keeps
/// failing while small requests are answered is asked for in smaller ones; the size that passes is
/// kept, and it grows again with care.
class PageSize {
  public:
    /// No page is made smaller than this: what fails then does not fail because of its size.
    static constexpr std::uint32_t smallest = 16;

    explicit PageSize(std::uint32_t most) : most_(most), passes_(most), now_(most) {}

    /// What to ask for.
    std::uint32_t now() const { return now_; }

    /// The next size to try for a page of this size that keeps failing; nothing if it is as small
    /// as it may be.
    static std::optional<std::uint32_t> smaller_than(std::uint32_t size);

    /// Pages of one size keep failing, and one of the other size passed.
    void learn(std::uint32_t fails, std::uint32_t passes);

    /// Whether pages of this size are only tried: one failure is enough then.
    bool is_trial(std::uint32_t size) const { return size > passes_; }
    /// One that was only tried has failed.
    void trial_failed(std::uint32_t size);

    /// A page was asked for with this limit and came with so many records. True if that changes
    /// what is known.
    bool served(std::uint32_t size, std::uint64_t records);

    /// What is known, to be kept beyond this process.
    struct Known {
        std::uint32_t passes = 0;
        std::uint32_t fails = 0;
        friend bool operator==(const Known&, const Known&) = default;
    };
    /// Nothing while pages of full size pass.
    std::optional<Known> known() const;
    void remember(const Known& known);

  private:
    std::uint32_t next_trial() const;

    std::uint32_t most_;
    std::uint32_t passes_;                // known to pass, or nothing is known of it
    std::optional<std::uint32_t> fails_;  // the smallest that is known to fail
    std::uint32_t now_;
    std::uint32_t full_pages_ = 0;  // in a row, since something was learned
    std::uint32_t patience_ = 16;   // full pages before a larger size is tried
};

/// A page that keeps failing, in whose place smaller ones are asked for. They show that its size is
/// at fault once they have brought all that it would have: what is wrong may also be one of its
/// records, and then the next smaller page fails.
class FailedPage {
  public:
    explicit FailedPage(std::uint32_t size) : size_(size), left_(size) {}

    /// What it was asked for with.
    std::uint32_t size() const { return size_; }

    /// A smaller page came with so many records. True if all of the failed one have come now;
    /// `is_last`: there are no more.
    bool replaced_by(std::uint64_t records, bool is_last);

  private:
    std::uint32_t size_;
    std::uint64_t left_;
};

}  // namespace mirror::plan
