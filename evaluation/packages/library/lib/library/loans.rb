# frozen_string_literal: true

module Library
  # Lends books, renews and takes back.
  class Loans
    DAYS = 28
    MOST_RENEWALS = 3

    class Refused < StandardError; end

    def initialize(catalog, calendar)
      @catalog = catalog
      @calendar = calendar
      @loans = {}
    end

    def lend(member_id, book_id, today)
      loan = Loan.new(
        id: @loans.size + 1,
        member_id: member_id,
        book_id: book_id,
        due_on: @calendar.next_open(today + DAYS),
        renewals: 0
      )
      @loans[loan.id] = loan
    end

    def find(id)
      @loans.fetch(id)
    end

    def of_member(member_id)
      @loans.values.select { |loan| loan.member_id == member_id }
    end

    def renew(id, today)
      loan = find(id)
      raise Refused, "the book was brought back" unless loan.open?
      raise Refused, "renewed #{MOST_RENEWALS} times already" if loan.renewals >= MOST_RENEWALS
      raise Refused, "somebody waits for the book" if @catalog.wanted?(loan.book_id, loan.member_id)

      loan.renewals += 1
      loan.due_on = @calendar.next_open([loan.due_on, today].max + DAYS)
      loan
    end

    def take_back(id, today)
      loan = find(id)
      raise Refused, "the book was brought back" unless loan.open?

      loan.returned_on = today
      loan
    end
  end
end
