# frozen_string_literal: true

module Library
  # Books and who waits for them.
  class Catalog
    Book = Struct.new(:id, :title, :waiting, keyword_init: true)

    def initialize(books)
      @books = books.to_h { |book| [book.id, book] }
    end

    def book(id)
      @books.fetch(id)
    end

    def reserve(book_id, member_id)
      waiting = book(book_id).waiting
      waiting << member_id unless waiting.include?(member_id)
    end

    # Does somebody else than the member wait for the book?
    def wanted?(book_id, member_id)
      book(book_id).waiting.any? { |other| other != member_id }
    end
  end
end
